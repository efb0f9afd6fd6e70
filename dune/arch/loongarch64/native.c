// SPDX-License-Identifier: Apache-2.0
// Forwarding by syscall user dispatch is not written for this architecture.
#include "dune/native.h"
#include "dune/signals.h"

#include <errno.h>

int native_check(void)
{
    return -ENOSYS;
}

int native_begin(struct native *n)
{
    return -ENOSYS;
}

void native_run(struct native *n, struct vcpu_why *why)
{
    signals_die(SIGKILL);
}

void native_interrupt(struct native *n, int signal, const siginfo_t *info, ucontext_t *uc)
{
    signals_die(SIGKILL);
}

u64 native_time(int rounds)
{
    return 0;
}
