// SPDX-License-Identifier: Apache-2.0
// What a program may ask of the kernel.
#pragma once

#include "base/types.h"

struct call;
struct policy;
struct thread;

// 0 when the call may be made, or the -errno that the program sees. NULL allows everything.
long policy_judge(struct thread *t, const struct policy *p, const struct call *c, u64 number,
                  const u64 a[6]);
