// SPDX-License-Identifier: Apache-2.0
// Calls with structures that point on. The kernel is given a copy that was checked, never the
// program's own: another thread could change that in between.
#include "dune/entry.h"
#include "dune/calls.h"
#include "dune/handlers.h"
#include "dune/policy.h"
#include "dune/process.h"
#include "dune/space.h"
#include "dune/thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

enum { MAX_IOV = 1024, MAX_CONTROL = 32 << 10 };

static long copy_iov(struct iovec *to, u64 from, u64 n)
{
    if (n > MAX_IOV)
        return -EINVAL;
    if (guest_read(to, from, n * sizeof(*to)))
        return -EFAULT;
    for (u64 i = 0; i < n; i++)
        if (to[i].iov_len > SPACE_END || !space_holds((u64)to[i].iov_base, to[i].iov_len))
            return (s64)to[i].iov_len < 0 ? -EINVAL : -EFAULT;
    return 0;
}

static long vector_call(struct thread *t, u64 number, u64 a[6])
{
    struct iovec list[MAX_IOV];
    long ret = copy_iov(list, a[1], a[2]);
    u64 copy[6] = {a[0], (u64)list, a[2], a[3], a[4], a[5]};
    return ret ? ret : calls_forward(t, number, copy);
}

HANDLER(readv)
{
    return vector_call(t, number, a);
}

HANDLER(writev)
{
    return vector_call(t, number, a);
}

HANDLER(vmsplice)
{
    return vector_call(t, number, a);
}

// Descriptors that are sent must be the program's.
static long check_control(const struct hidden *h, u8 *control, u64 size)
{
    struct msghdr m = {.msg_control = control, .msg_controllen = size};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_len < sizeof(*c) || c->cmsg_len > size - (u64)((u8 *)c - control))
            return -EINVAL;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (u64 i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++)
            if (hidden_has(h, (u64)((int *)(void *)CMSG_DATA(c))[i]))
                return -EBADF;
    }
    return 0;
}

// Under a policy, sockets of this machine with names are out of reach: what is behind them knows no
// policy.
struct address {
    u16 family;
    u8 rest[126];
};

static long judge_address(struct thread *t, struct address *to, u64 from, u64 size)
{
    if (size > sizeof(*to))
        return -EINVAL;
    if (guest_read(to, from, size))
        return -EFAULT;
    return size > 2 && to->family == AF_UNIX ? -EACCES : 0;
}

HANDLER(address)
{
    struct address copy = {0};
    u32 at = number == SYS_sendto ? 4 : 1;
    if (!t->process->settings->policy || !a[at])
        return calls_forward(t, number, a);
    long ret = judge_address(t, &copy, a[at], (u32)a[at + 1]);
    a[at] = (u64)&copy;
    return ret ? ret : calls_forward(t, number, a);
}

struct message {
    struct address name;
    struct msghdr head;
    struct iovec list[MAX_IOV];
    u8 control[MAX_CONTROL];
};

static long copy_message(struct message *m, u64 from)
{
    if (guest_read(&m->head, from, sizeof(m->head)))
        return -EFAULT;
    long ret = copy_iov(m->list, (u64)m->head.msg_iov, m->head.msg_iovlen);
    if (ret)
        return ret == -EINVAL ? -EMSGSIZE : ret;
    m->head.msg_iov = m->list;
    if (!space_holds((u64)m->head.msg_name, 0) || !space_holds((u64)m->head.msg_control, 0))
        return -EFAULT;
    return 0;
}

static long send_one(struct thread *t, u64 fd, u64 at, u64 flags)
{
    struct message m;
    long ret = copy_message(&m, at);
    if (!ret && t->process->settings->policy && m.head.msg_name) {
        ret = judge_address(t, &m.name, (u64)m.head.msg_name, m.head.msg_namelen);
        m.head.msg_name = &m.name;
    }
    if (ret)
        return ret;
    if (m.head.msg_control) {
        if (m.head.msg_controllen > sizeof(m.control))
            return -ENOBUFS;
        if (guest_read(m.control, (u64)m.head.msg_control, m.head.msg_controllen))
            return -EFAULT;
        ret = check_control(&t->process->settings->hidden, m.control, m.head.msg_controllen);
        m.head.msg_control = m.control;
    }
    u64 a[6] = {fd, (u64)&m.head, flags};
    return ret ? ret : calls_forward(t, SYS_sendmsg, a);
}

static long receive_one(struct thread *t, u64 fd, u64 at, u64 flags)
{
    struct message m;
    long ret = copy_message(&m, at);
    u64 a[6] = {fd, (u64)&m.head, flags};
    struct msghdr theirs;
    ret = ret ? ret : calls_forward(t, SYS_recvmsg, a);
    if (ret < 0)
        return ret;
    if (guest_read(&theirs, at, sizeof(theirs)))
        return -EFAULT;
    theirs.msg_namelen = m.head.msg_namelen;
    theirs.msg_controllen = m.head.msg_controllen;
    theirs.msg_flags = m.head.msg_flags;
    return guest_write(at, &theirs, sizeof(theirs)) ? -EFAULT : ret;
}

HANDLER(sendmsg)
{
    return send_one(t, a[0], a[1], a[2]);
}

HANDLER(recvmsg)
{
    return receive_one(t, a[0], a[1], a[2]);
}

enum { MANY_SIZE = 64, MANY_LENGTH = 56 };

HANDLER(sendmmsg)
{
    u64 n = a[2] < 1024 ? a[2] : 1024;
    for (u64 i = 0; i < n; i++) {
        u64 at = a[1] + i * MANY_SIZE;
        long ret = send_one(t, a[0], at, a[3]);
        u32 length = (u32)ret;
        if (ret >= 0 && guest_write(at + MANY_LENGTH, &length, sizeof(length)))
            ret = -EFAULT;
        if (ret < 0)
            return i ? (long)i : ret;
    }
    return (long)n;
}

static u64 now(void)
{
    struct timespec at;
    raw(SYS_clock_gettime, CLOCK_MONOTONIC, &at);
    return (u64)at.tv_sec * 1000000000 + (u64)at.tv_nsec;
}

HANDLER(recvmmsg)
{
    struct timespec limit;
    u64 n = a[2] < 1024 ? a[2] : 1024, flags = a[3], start = now();
    if (a[4] && guest_read(&limit, a[4], sizeof(limit)))
        return -EFAULT;
    for (u64 i = 0; i < n; i++) {
        u64 at = a[1] + i * MANY_SIZE;
        if (a[4] && i && now() - start >= (u64)limit.tv_sec * 1000000000 + (u64)limit.tv_nsec)
            return (long)i;
        long ret = receive_one(t, a[0], at, flags & ~(u64)MSG_WAITFORONE);
        u32 length = (u32)ret;
        if (ret >= 0 && guest_write(at + MANY_LENGTH, &length, sizeof(length)))
            ret = -EFAULT;
        if (ret < 0)
            return i ? (long)i : ret;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
    }
    return (long)n;
}

// Options whose value points on to something else: filters, and tables of the packet filter.
HANDLER(setsockopt)
{
    struct {
        u64 size, at;
    } filter;
    bool is_filter = (int)a[1] == SOL_SOCKET &&
                     ((int)a[2] == SO_ATTACH_FILTER || (int)a[2] == SO_ATTACH_REUSEPORT_CBPF);
    if (((int)a[1] == IPPROTO_IP || (int)a[1] == IPPROTO_IPV6) && (int)a[2] >= 64 &&
        (int)a[2] < 80 && (int)a[2] != IPV6_RECVPATHMTU && (int)a[2] != IPV6_TCLASS &&
        (int)a[2] != IPV6_RECVTCLASS)
        return -EPERM;
    if (!is_filter)
        return calls_forward(t, number, a);
    if (a[4] < sizeof(filter) || guest_read(&filter, a[3], sizeof(filter)))
        return -EFAULT;
    if (!space_holds(filter.at, 8 * (filter.size & 0xffff)))
        return -EFAULT;
    u64 copy[6] = {a[0], a[1], a[2], (u64)&filter, sizeof(filter)};
    return calls_forward(t, number, copy);
}

// This one maps pages at an address that its value names.
HANDLER(getsockopt)
{
    enum { ZEROCOPY_RECEIVE = 35 };
    if ((int)a[1] == IPPROTO_TCP && (int)a[2] == ZEROCOPY_RECEIVE)
        return -ENOPROTOOPT;
    return calls_forward(t, number, a);
}

HANDLER(semctl)
{
    switch ((int)a[2]) {
    case IPC_STAT:
    case IPC_SET:
    case SEM_STAT:
    case GETALL:
    case SETALL:
    case IPC_INFO:
    case SEM_INFO:
        if (!space_holds(a[3], 0))
            return -EFAULT;
    }
    return calls_forward(t, number, a);
}

// Of System V memory and messages; removing takes no structure, and there may be anything in its
// place.
HANDLER(shmctl)
{
    if ((int)a[1] != IPC_RMID && !space_holds(a[2], 0))
        return -EFAULT;
    return calls_forward(t, number, a);
}

static bool has_second_futex(int operation)
{
    return operation == FUTEX_REQUEUE || operation == FUTEX_CMP_REQUEUE ||
           operation == FUTEX_WAKE_OP || operation == FUTEX_WAIT_REQUEUE_PI ||
           operation == FUTEX_CMP_REQUEUE_PI;
}

// The fourth argument is a time for those that wait, and a number for the others.
HANDLER(futex)
{
    switch ((int)a[1] & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI:
    case 13: // FUTEX_LOCK_PI2
    case FUTEX_WAIT_REQUEUE_PI:
        if (!space_holds(a[3], 0))
            return -EFAULT;
    }
    if (has_second_futex((int)a[1] & FUTEX_CMD_MASK) && !space_holds(a[4], 4))
        return -EFAULT;
    return calls_forward(t, number, a);
}

struct futex_item {
    u64 value, at;
    u32 flags, reserved;
};

static long check_futexes(struct futex_item *list, u64 from, u64 n)
{
    if (guest_read(list, from, n * sizeof(*list)))
        return -EFAULT;
    for (u64 i = 0; i < n; i++)
        if (!space_holds(list[i].at, 4))
            return -EFAULT;
    return 0;
}

HANDLER(futex_waitv)
{
    struct futex_item list[128];
    if (a[1] > 128 || !a[1])
        return -EINVAL;
    long ret = check_futexes(list, a[0], a[1]);
    u64 copy[6] = {(u64)list, a[1], a[2], a[3], a[4]};
    return ret ? ret : calls_forward(t, number, copy);
}

HANDLER(futex_requeue)
{
    struct futex_item list[2];
    long ret = check_futexes(list, a[0], 2);
    u64 copy[6] = {(u64)list, a[1], a[2], a[3]};
    return ret ? ret : calls_forward(t, number, copy);
}

HANDLER(poll)
{
    return a[1] > SPACE_END / 8 || space_holds(a[0], a[1] * 8) ? calls_forward(t, number, a)
                                                               : -EFAULT;
}

// The last argument points to a pointer.
HANDLER(pselect6)
{
    u64 mask[2], copy[6];
    memcpy(copy, a, sizeof(copy));
    if (a[5]) {
        if (guest_read(mask, a[5], sizeof(mask)) || !space_holds(mask[0], 0))
            return -EFAULT;
        copy[5] = (u64)mask;
    }
    return calls_forward(t, number, copy);
}

HANDLER(timer_create)
{
    return calls_forward(t, number, a);
}

// A notification that starts a thread in the C library goes through a socket and a cookie.
HANDLER(timer_notify)
{
    struct sigevent event;
    if (!a[1])
        return calls_forward(t, number, a);
    if (guest_read(&event, a[1], 64))
        return -EFAULT;
    if (event.sigev_notify == SIGEV_THREAD && !space_holds((u64)event.sigev_value.sival_ptr, 32))
        return -EFAULT;
    u64 copy[6] = {a[0], (u64)&event};
    return calls_forward(t, number, copy);
}

// The kernel follows this list when the thread ends, wherever it leads. Under a policy it is not
// told of one, and locks of threads that died are not given back.
HANDLER(set_robust_list)
{
    if (t->process->settings->policy)
        return a[1] == 24 ? 0 : -EINVAL;
    return calls_forward(t, number, a);
}
