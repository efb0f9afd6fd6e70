// SPDX-License-Identifier: Apache-2.0
// What the program did that processors refuse: page tables are filled, or a signal follows.
#pragma once

struct thread;
struct vcpu_why;

void faults_serve(struct thread *t, struct vcpu_why *why);
