// SPDX-License-Identifier: Apache-2.0
#include "dune/hidden.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/resource.h>

// The kernel's table of descriptors reaches to the highest one, and each fork copies it. So the
// monitor's are not higher than the program's limit asks for, within these.
enum { LOWEST_FIRST = 16384 - HIDDEN_MAX, HIGHEST_FIRST = 32768 - HIDDEN_MAX };

static u64 choose_first(u64 soft, u64 hard)
{
    u64 first = soft < LOWEST_FIRST ? LOWEST_FIRST : soft < HIGHEST_FIRST ? soft : HIGHEST_FIRST;
    if (first + HIDDEN_MAX > hard)
        first = hard > 2 * HIDDEN_MAX ? hard - HIDDEN_MAX : hard / 2;
    return first;
}

int hidden_init(struct hidden *h)
{
    u64 limit[2];
    long ret = raw(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, limit);
    if (ret < 0)
        return (int)ret;
    u64 first = choose_first(limit[0], limit[1]);
    u64 end = first + HIDDEN_MAX < limit[1] ? first + HIDDEN_MAX : limit[1];
    *h = (struct hidden){.first = (int)first, .end = (int)end, .hard = first};
    return 0;
}

int hidden_begin(const struct hidden *h)
{
    u64 limit[2];
    long ret = raw(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, limit);
    if (ret < 0 || limit[0] <= h->hard)
        return (int)ret;
    limit[0] = h->hard;
    return (int)raw(SYS_prlimit64, 0, RLIMIT_NOFILE, limit, 0);
}

bool hidden_raise_limit(struct hidden *h, u64 saved[2])
{
    lock_take(&h->lock);
    if (raw(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, saved) == 0 && saved[1] >= (u64)h->end) {
        u64 raised[2] = {saved[0] > (u64)h->end ? saved[0] : (u64)h->end, saved[1]};
        if (raw(SYS_prlimit64, 0, RLIMIT_NOFILE, raised, 0) == 0)
            return true;
    }
    lock_drop(&h->lock);
    return false;
}

void hidden_restore_limit(struct hidden *h, const u64 saved[2])
{
    raw(SYS_prlimit64, 0, RLIMIT_NOFILE, saved, 0);
    lock_drop(&h->lock);
}

long hidden_copy(struct hidden *h, int fd, bool closes_on_exec)
{
    u64 saved[2];
    if (!hidden_raise_limit(h, saved))
        return -EMFILE;
    long to = raw(SYS_fcntl, fd, closes_on_exec ? F_DUPFD_CLOEXEC : F_DUPFD, h->first);
    hidden_restore_limit(h, saved);
    if (to >= h->end) {
        raw(SYS_close, to);
        return -EMFILE;
    }
    return to;
}

int hidden_move(struct hidden *h, int fd)
{
    long to = hidden_copy(h, fd, true);
    raw(SYS_close, fd);
    return (int)to;
}

long hidden_change_limit(struct hidden *h, const u64 wanted[2])
{
    u64 limit[2];
    lock_take(&h->lock);
    long ret = raw(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, limit);
    if (!ret && wanted[1] > h->hard)
        ret = -EPERM;
    limit[0] = wanted[0];
    ret = ret ? ret : raw(SYS_prlimit64, 0, RLIMIT_NOFILE, limit, 0);
    if (!ret)
        h->hard = wanted[1];
    lock_drop(&h->lock);
    return ret;
}
