// SPDX-License-Identifier: Apache-2.0
// A fault leaves the guest, whose PLV0 knows nothing of handlers: the monitor calls them.
#include "dune/upcall.h"
#include "dune/thread.h"

#include <errno.h>

int upcall_enable(struct thread *t)
{
    return -ENOSYS;
}

long upcall_take(struct thread *t, bool is_saved)
{
    return -ENOSYS;
}

bool upcall_in_handler(const struct thread *t)
{
    return t->lib.in_handler;
}

void upcall_set_in_handler(struct thread *t, bool on)
{
    t->lib.in_handler = on;
}

bool upcall_defers_signal(struct thread *t)
{
    return false;
}
