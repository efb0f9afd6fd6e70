// SPDX-License-Identifier: Apache-2.0
// Calls that only this architecture has.
#include "dune/handlers.h"
#include "dune/raw.h"
#include "dune/thread.h"

#include <asm/prctl.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>

HANDLER(arch_prctl)
{
    u64 fs, gs;
    switch (a[0]) {
    case ARCH_SET_FS: return a[1] >> 47 ? -EPERM : vcpu_set_base(&t->vcpu, &a[1], NULL);
    case ARCH_SET_GS: return a[1] >> 47 ? -EPERM : vcpu_set_base(&t->vcpu, NULL, &a[1]);
    case ARCH_GET_FS:
    case ARCH_GET_GS:
        if (vcpu_get_base(&t->vcpu, &fs, &gs) < 0)
            return -EINVAL;
        return guest_write(a[1], a[0] == ARCH_GET_FS ? &fs : &gs, 8);
    }
    return -EINVAL;
}

HANDLER(fork)
{
    return call_clone(t, SYS_clone, (u64[6]){SIGCHLD});
}

HANDLER(vfork)
{
    return call_clone(t, SYS_clone, (u64[6]){SIGCHLD | CLONE_VM | CLONE_VFORK});
}
