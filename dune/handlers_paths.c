// SPDX-License-Identifier: Apache-2.0
// Calls that name files. The program's own file, which the kernel believes to be the monitor, is
// put in; a policy has its say.
#include "dune/calls.h"
#include "dune/handlers.h"
#include "dune/message.h"
#include "dune/paths.h"
#include "dune/process.h"
#include "dune/space.h"
#include "dune/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

HANDLER(open)
{
    u64 at[6] = {(u64)(s64)AT_FDCWD, a[0], a[1], a[2]};
    if (number == SYS_creat) {
        at[2] = O_CREAT | O_WRONLY | O_TRUNC;
        at[3] = a[1];
    }
    return paths_open(t, at);
}

HANDLER(openat)
{
    return paths_open(t, a);
}

HANDLER(openat2)
{
    struct paths_how how;
    if (a[3] < sizeof(how))
        return -EINVAL;
    if (guest_read(&how, a[2], sizeof(how)))
        return -EFAULT;
    if (a[3] > sizeof(how))
        return -E2BIG;
    return paths_open2(t, a, &how);
}

HANDLER(path)
{
    return paths_call(t, number, a, (int[]){-1, -1}, (int[]){0, -1});
}

HANDLER(path2)
{
    return paths_call(t, number, a, (int[]){-1, -1}, (int[]){0, 1});
}

// The text that a link holds is no path yet.
HANDLER(path2b)
{
    return paths_call(t, number, a, (int[]){-1, -1}, (int[]){1, -1});
}

HANDLER(pathat)
{
    return paths_call(t, number, a, (int[]){0, -1}, (int[]){1, -1});
}

HANDLER(pathat2)
{
    return paths_call(t, number, a, (int[]){0, 2}, (int[]){1, 3});
}

HANDLER(symlinkat)
{
    return paths_call(t, number, a, (int[]){1, -1}, (int[]){2, -1});
}

// Without a path it is the descriptor itself.
HANDLER(utimensat)
{
    return a[1] ? call_pathat(t, number, a) : calls_forward(t, number, a);
}

HANDLER(inotify)
{
    return paths_call(t, number, a, (int[]){-1, -1}, (int[]){1, -1});
}

static long give_own_file(struct thread *t, u64 to, u64 size)
{
    const char *exe = t->process->settings->exe;
    u64 n = strlen(exe);
    n = n < size ? n : size;
    return (s64)size <= 0 ? -EINVAL : guest_write(to, exe, n) ? -EFAULT : (long)n;
}

HANDLER(readlink)
{
    if (paths_is_own_file(t, a[0]))
        return give_own_file(t, a[1], a[2]);
    return paths_call(t, number, a, (int[]){-1, -1}, (int[]){0, -1});
}

HANDLER(readlinkat)
{
    if (paths_is_own_file(t, a[1]))
        return give_own_file(t, a[2], a[3]);
    return paths_call(t, number, a, (int[]){0, -1}, (int[]){1, -1});
}
