// SPDX-License-Identifier: Apache-2.0
#include "dune/hidden.h"
#include "dune/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/resource.h>

// Above this the kernel's table of descriptors, which each fork copies, would be large.
enum { HIGHEST_FIRST = 8192 };

int hidden_init(struct hidden *h)
{
    struct rlimit64 {
        u64 soft, hard;
    } limit;
    long ret = raw(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
    if (ret < 0)
        return (int)ret;
    u64 first = limit.soft < HIGHEST_FIRST ? limit.soft : HIGHEST_FIRST;
    if (first + HIDDEN_MAX > limit.hard)
        first = limit.hard > 2 * HIDDEN_MAX ? limit.hard - HIDDEN_MAX : limit.hard / 2;
    u64 end = first + HIDDEN_MAX < limit.hard ? first + HIDDEN_MAX : limit.hard;
    if (limit.soft < end) {
        limit.soft = end;
        ret = raw(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, 0);
    }
    h->first = (int)first;
    h->end = (int)end;
    return (int)ret;
}

// The program may have lowered the limit below our numbers; it does not apply to us.
static long move_beyond_limit(const struct hidden *h, int fd)
{
    u64 limit[2], raised[2];
    if (raw(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, limit) < 0 || limit[1] < (u64)h->end)
        return -EMFILE;
    raised[0] = (u64)h->end;
    raised[1] = limit[1];
    raw(SYS_prlimit64, 0, RLIMIT_NOFILE, raised, 0);
    long to = raw(SYS_fcntl, fd, F_DUPFD_CLOEXEC, h->first);
    raw(SYS_prlimit64, 0, RLIMIT_NOFILE, limit, 0);
    return to;
}

int hidden_move(const struct hidden *h, int fd)
{
    long to = raw(SYS_fcntl, fd, F_DUPFD_CLOEXEC, h->first);
    if (to == -EINVAL)
        to = move_beyond_limit(h, fd);
    raw(SYS_close, fd);
    if (to >= h->end) {
        raw(SYS_close, to);
        return -EMFILE;
    }
    return (int)to;
}
