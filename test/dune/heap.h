// SPDX-License-Identifier: Apache-2.0
// Between the tests of handlers of page faults: a heap whose rights they take and give.
#pragma once

#include "base/test.h"
#include "include/longhouse/dune.h"
#include "test/dune/child.h"
#include "test/dune/machine.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGES = 64, HEAP = PAGES * PAGE };

extern _Atomic int n_faults;
extern u8 *heap;

u8 *heap_map(u64 size);
// The handler that gives what is asked for.
void heap_give(struct dune_frame *frame, void *opaque);
// Guest mode with a handler; the first fault of a thread may go by way of the monitor, so there has
// been one. False: there is no guest mode here.
bool heap_begin(dune_fault_fn *handler);
void heap_end(void);
u64 heap_now_ns(void);

#define BEGIN(handler)        \
    if (!heap_begin(handler)) \
    SKIP("missing guest mode")
