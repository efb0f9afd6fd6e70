// SPDX-License-Identifier: Apache-2.0
#include "dune/calls.h"
#include "dune/arguments.h"
#include "dune/entry.h"
#include "dune/handlers.h"
#include "dune/policy.h"
#include "dune/process.h"
#include "dune/thread.h"
#include "dune/trace.h"

#include <errno.h>
#include <string.h>

static const struct call calls[CALLS_MAX] = {
#define CALL(number, name, group, handler, arguments) \
    [number] = {#name, arguments, CALL_##group, call_##handler},
#include ARCH_CALLS
#undef CALL
};

const struct call *calls_find(u64 number)
{
    return number < CALLS_MAX && calls[number].name ? calls + number : NULL;
}

int calls_number(const char *name)
{
    for (int i = 0; i < CALLS_MAX; i++)
        if (calls[i].name && !strcmp(calls[i].name, name))
            return i;
    return -1;
}

const char *calls_group_name(enum call_group group)
{
    static const char *const names[CALL_N_GROUPS] = {"basic", "io",  "open", "read",  "write",
                                                     "proc",  "net", "ipc",  "admin", "escape"};
    return names[group];
}

long calls_forward(struct thread *t, u64 number, const u64 a[6])
{
    return restartable_call(&t->taken, number, a);
}

long call_forward(struct thread *t, u64 number, u64 a[6])
{
    return calls_forward(t, number, a);
}

long call_never(struct thread *t, u64 number, u64 a[6])
{
    return -ENOSYS;
}

static long serve(struct thread *t, const struct call *c, u64 number, u64 a[6])
{
    const struct settings *s = t->process->settings;
    if (!c)
        return -ENOSYS;
    long ret = policy_judge(t, s->policy, c, number, a);
    if (ret)
        return ret;
    ret = arguments_check(&s->hidden, c->arguments, a);
    return ret ? ret : c->serve(t, number, a);
}

void calls_serve(struct thread *t)
{
    struct settings *s = t->process->settings;
    u64 number = regs_number(t->regs), a[6];
    const struct call *c = calls_find(number);
    regs_arguments(t->regs, a);
    if (s->stats && number < CALLS_MAX)
        __atomic_fetch_add((u64 *)&s->stats->of_call[number], 1, __ATOMIC_RELAXED);
    COUNT(s, calls);
    if (s->trace_fd >= 0)
        trace_before(t, c, number, a);
    long ret = serve(t, c, number, a);
    if (s->trace_fd >= 0)
        trace_after(t, c, number, a, ret);
    if (ret == RESTART_CALL)
        regs_rewind(t->regs, number);
    else if (ret != CALL_DONE)
        regs_set_result(t->regs, (u64)ret);
}
