// SPDX-License-Identifier: Apache-2.0
// `--trace`: one line for each call, in the manner of strace.
#pragma once

#include "base/types.h"

struct call;
struct thread;

// Before a call is served: prints those that do not come back.
void trace_before(struct thread *t, const struct call *c, u64 number, const u64 a[6]);
// After it was.
void trace_after(struct thread *t, const struct call *c, u64 number, const u64 a[6], long result);
// A signal that is delivered, or that ends the process.
void trace_signal(struct thread *t, int signal, int code, u64 address);
