// SPDX-License-Identifier: Apache-2.0
// Calls on descriptors: the monitor's stay out of sight, and out of reach of what names many.
#include "dune/calls.h"
#include "dune/handlers.h"
#include "dune/message.h"
#include "dune/policy.h"
#include "dune/process.h"
#include "dune/space.h"
#include "dune/thread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

HANDLER(close)
{
    return calls_forward(t, number, a);
}

HANDLER(close_range)
{
    const struct hidden *h = &t->process->settings->hidden;
    u64 first = (u32)a[0], last = (u32)a[1], below = (u64)h->first - 1, above = (u64)h->end;
    if (first > last)
        return -EINVAL;
    u64 low[6] = {first, last < below ? last : below, a[2]};
    u64 high[6] = {first > above ? first : above, last, a[2]};
    long ret = low[0] <= low[1] ? calls_forward(t, number, low) : 0;
    return ret < 0 || high[0] > high[1] ? ret : calls_forward(t, number, high);
}

HANDLER(dup2)
{
    return calls_forward(t, number, a);
}

HANDLER(fcntl)
{
    switch ((int)a[1]) {
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
    case F_GETOWN_EX:
    case F_SETOWN_EX:
        if (!space_holds(a[2], 0))
            return -EFAULT;
    }
    return a[2] > SPACE_END && a[2] >> 47 == 0 ? -EFAULT : calls_forward(t, number, a);
}

enum { KVM_TYPE = 0xae, GET_IF_LIST = 0x8912 };

static long list_interfaces(struct thread *t, u64 number, u64 a[6])
{
    struct {
        u32 size, pad;
        u64 at;
    } list;
    if (guest_read(&list, a[2], sizeof(list)))
        return -EFAULT;
    if (!space_holds(list.at, list.size))
        return -EFAULT;
    u64 copy[6] = {a[0], a[1], (u64)&list};
    long ret = calls_forward(t, number, copy);
    return ret < 0 ? ret : guest_write(a[2], &list, sizeof(list)) ? -EFAULT : ret;
}

// A second virtual machine over the same memory would know no limits.
HANDLER(ioctl)
{
    if ((a[1] >> 8 & 0xff) == KVM_TYPE)
        return -ENOTTY;
    if (a[2] > SPACE_END && a[2] >> 47 == 0)
        return -EFAULT;
    if ((u32)a[1] == GET_IF_LIST)
        return list_interfaces(t, number, a);
    return calls_forward(t, number, a);
}

static bool is_fd_directory(int fd)
{
    struct statfs fs;
    char link[32], target[64];
    struct line name = {link, sizeof(link), 0};
    enum { PROC_MAGIC = 0x9fa0 };
    if (raw(SYS_fstatfs, fd, &fs) < 0 || fs.f_type != PROC_MAGIC)
        return false;
    message_add(&name, "/proc/self/fd/%d", fd);
    long n = raw(SYS_readlinkat, AT_FDCWD, link, target, sizeof(target) - 1);
    if (n < 3 || n == sizeof(target) - 1)
        return false;
    target[n] = 0;
    const char *last = strrchr(target, '/');
    return last && (!strcmp(last, "/fd") || !strcmp(last, "/fdinfo"));
}

static u64 number_of(const char *name)
{
    u64 n = 0;
    for (; *name >= '0' && *name <= '9'; name++)
        n = 10 * n + (u64)(*name - '0');
    return *name ? 0 : n;
}

struct entry {
    u64 inode, offset;
    u16 size;
    u8 type;
    char name[];
};

static u64 drop_hidden(const struct hidden *h, u8 *list, u64 n)
{
    u64 kept = 0;
    for (u64 at = 0; at < n;) {
        const struct entry *e = (const void *)(list + at);
        u16 size = e->size;
        if (!size || at + size > n)
            break;
        if (!hidden_has(h, number_of(e->name))) {
            memmove(list + kept, list + at, size);
            kept += size;
        }
        at += size;
    }
    return kept;
}

HANDLER(getdents64)
{
    long n = calls_forward(t, number, a);
    u8 list[32768];
    if (n <= 0 || n > (long)sizeof(list) || !is_fd_directory((int)a[0]) ||
        guest_read(list, a[1], (u64)n))
        return n;
    u64 kept = drop_hidden(&t->process->settings->hidden, list, (u64)n);
    if (guest_write(a[1], list, kept))
        return -EFAULT;
    // Nothing left is not the end of the directory.
    return kept ? (long)kept : call_getdents64(t, number, a);
}

HANDLER(pidfd_getfd)
{
    return hidden_has(&t->process->settings->hidden, a[1]) ? -EPERM : calls_forward(t, number, a);
}
