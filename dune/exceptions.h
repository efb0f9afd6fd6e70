// SPDX-License-Identifier: Apache-2.0
// What processors of one architecture refuse in their own ways.
#pragma once

#include "base/types.h"

struct thread;
struct vcpu_why;

// VCPU_FAULT: the signal that Linux sends for it.
void exception_serve(struct thread *t, const struct vcpu_why *why);
// VCPU_BUS: finds the address of what could not be reached and what was wanted of it. False: by now
// all of it can be, and the program goes on with what its registers say.
bool exception_find_bus(struct thread *t, struct vcpu_why *why);
