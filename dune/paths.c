// SPDX-License-Identifier: Apache-2.0
#include "dune/paths.h"
#include "dune/calls.h"
#include "dune/message.h"
#include "dune/process.h"
#include "dune/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

bool paths_is_own_file(struct thread *t, u64 path)
{
    char text[64], own[64];
    struct text name = {own, sizeof(own), 0};
    if (guest_text(text, path, sizeof(text)) < 0)
        return false;
    text_add(&name, "/proc/%d/exe", t->process->pid);
    return !strcmp(text, "/proc/self/exe") || !strcmp(text, "/proc/thread-self/exe") ||
           !strcmp(text, own);
}

long paths_open(struct thread *t, const u64 a[6])
{
    u64 copy[6] = {a[0], a[1], a[2], a[3]};
    if (paths_is_own_file(t, a[1]))
        copy[1] = (u64)t->process->settings->exe;
    return calls_forward(t, SYS_openat, copy);
}

long paths_open2(struct thread *t, const u64 a[6], const void *how)
{
    u64 copy[6] = {a[0], a[1], (u64)how, sizeof(struct paths_how)};
    enum { OPENAT2 = 437 };
    if (paths_is_own_file(t, a[1]))
        copy[1] = (u64)t->process->settings->exe;
    return calls_forward(t, OPENAT2, copy);
}

long paths_call(struct thread *t, u64 number, const u64 a[6], const int fds[2], const int paths[2])
{
    u64 copy[6];
    memcpy(copy, a, sizeof(copy));
    for (int i = 0; i < 2; i++)
        if (paths[i] >= 0 && paths_is_own_file(t, a[paths[i]]))
            copy[paths[i]] = (u64)t->process->settings->exe;
    return calls_forward(t, number, copy);
}
