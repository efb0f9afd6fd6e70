// SPDX-License-Identifier: Apache-2.0
// What processors of one architecture refuse in their own ways.
#pragma once

#include "base/types.h"

struct thread;
struct vcpu_why;

// VCPU_FAULT: the signal that Linux sends for it.
void exception_serve(struct thread *t, const struct vcpu_why *why);
// VCPU_BUS: the address of what could not be reached.
u64 exception_bus_address(struct thread *t, const struct vcpu_why *why);
