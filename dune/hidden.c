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

bool hidden_raise_limit(const struct hidden *h, u64 saved[2])
{
    if (raw(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, saved) < 0 || saved[1] < (u64)h->end)
        return false;
    u64 raised[2] = {(u64)h->end, saved[1]};
    return raw(SYS_prlimit64, 0, RLIMIT_NOFILE, raised, 0) == 0;
}

void hidden_restore_limit(const u64 saved[2])
{
    raw(SYS_prlimit64, 0, RLIMIT_NOFILE, saved, 0);
}

static long move_beyond_limit(const struct hidden *h, int fd)
{
    u64 saved[2];
    if (!hidden_raise_limit(h, saved))
        return -EMFILE;
    long to = raw(SYS_fcntl, fd, F_DUPFD_CLOEXEC, h->first);
    hidden_restore_limit(saved);
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
