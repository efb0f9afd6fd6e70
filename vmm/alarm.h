// SPDX-License-Identifier: Apache-2.0
// A timer of the host for each processor thread, which makes the processor look at its own timer.
#pragma once

#include "cpu/cpu.h"

struct alarm;

// For the calling thread, which owns `c`: c->alarm works from now on. Never NULL.
struct alarm *alarm_new(struct cpu *c);
void alarm_free(struct alarm *a); // by the same thread; accepts NULL
