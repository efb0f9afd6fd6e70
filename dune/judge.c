// SPDX-License-Identifier: Apache-2.0
// Holds a call against the policy: its number, and arguments that name other processes or devices.
#include "dune/calls.h"
#include "dune/message.h"
#include "dune/paths.h"
#include "dune/policy.h"
#include "dune/process.h"
#include "dune/signals.h"
#include "dune/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

// The parent of a process, or 0.
static int parent_of(int pid)
{
    char name[64], line[512];
    struct line text = {name, sizeof(name), 0};
    message_add(&text, "/proc/%d/stat", pid);
    long fd = raw(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC);
    long n = fd < 0 ? 0 : raw(SYS_read, fd, line, sizeof(line) - 1);
    if (fd >= 0)
        raw(SYS_close, fd);
    line[n > 0 ? n : 0] = 0;
    const char *at = strrchr(line, ')');
    int parent = 0;
    for (at = at && strlen(at) > 4 ? at + 4 : ""; *at >= '0' && *at <= '9'; at++)
        parent = 10 * parent + (*at - '0');
    return parent;
}

// Whether a process is one of this run: the first, or one that comes from it.
static bool is_ours(const struct thread *t, int pid)
{
    int root = t->process->settings->root_pid;
    if (pid == t->process->pid || pid == t->tid)
        return true;
    for (int i = 0; i < 64 && pid > 1; i++, pid = parent_of(pid))
        if (pid == root)
            return true;
    return false;
}

// Calls whose argument is a process; 0 stands for the caller where `zero_is_self`.
static const struct {
    u16 number;
    u8 at;
    bool zero_is_self;
} targets[] = {
    {SYS_kill, 0, false},
    {SYS_tkill, 0, false},
    {SYS_tgkill, 0, false},
    {SYS_rt_sigqueueinfo, 0, false},
    {SYS_rt_tgsigqueueinfo, 0, false},
    {SYS_prlimit64, 0, true},
    {SYS_setpgid, 0, true},
    {SYS_setpriority, 1, true},
    {SYS_sched_setparam, 0, true},
    {SYS_sched_setscheduler, 0, true},
    {SYS_sched_setaffinity, 0, true},
    {SYS_sched_setattr, 0, true},
    {SYS_ioprio_set, 1, true},
    {SYS_pidfd_open, 0, false},
};

static bool names_stranger(const struct thread *t, u64 number, const u64 a[6])
{
    for (u32 i = 0; i < ARRAY_LEN(targets); i++) {
        if (targets[i].number != number)
            continue;
        int pid = (int)a[targets[i].at];
        return pid ? !is_ours(t, pid) : !targets[i].zero_is_self;
    }
    return false;
}

// What terminals, pipes, files and sockets of a plain program are asked.
static bool is_plain_ioctl(u32 request)
{
    switch (request) {
    case 0x5401: // TCGETS
    case 0x5402: // TCSETS
    case 0x5403: // TCSETSW
    case 0x5404: // TCSETSF
    case 0x540b: // TCFLSH
    case 0x540f: // TIOCGPGRP
    case 0x5410: // TIOCSPGRP
    case 0x5413: // TIOCGWINSZ
    case 0x541b: // FIONREAD
    case 0x5421: // FIONBIO
    case 0x5450: // FIONCLEX
    case 0x5451: // FIOCLEX
    case 0x5452: // FIOASYNC
        return true;
    }
    return false;
}

static bool is_plain_prctl(u64 option)
{
    switch (option) {
    case PR_SET_NAME:
    case PR_GET_NAME:
    case PR_SET_PDEATHSIG:
    case PR_GET_PDEATHSIG:
    case PR_GET_DUMPABLE:
    case PR_SET_NO_NEW_PRIVS:
    case PR_GET_NO_NEW_PRIVS:
    case PR_CAPBSET_READ:
    case PR_GET_SECUREBITS:
    case PR_SET_TIMERSLACK:
    case PR_GET_TIMERSLACK:
    case PR_SET_CHILD_SUBREAPER:
    case PR_GET_CHILD_SUBREAPER:
    case PR_GET_TID_ADDRESS: return true;
    }
    return false;
}

// New namespaces would make paths mean something else.
static bool is_plain_birth(u64 flags)
{
    enum { NEW_NAMESPACES = 0x7e020080 };
    return !(flags & NEW_NAMESPACES);
}

// A descriptor that was opened for reading is enough for these.
static bool changes_file(u64 number, const u64 a[6])
{
    return number == SYS_fchmod || number == SYS_fchown || number == SYS_fsetxattr ||
           number == SYS_fremovexattr || (number == SYS_utimensat && !a[1]) ||
           number == SYS_futimesat;
}

static long judge_arguments(struct thread *t, u64 number, const u64 a[6])
{
    if (names_stranger(t, number, a))
        return -EPERM;
    if (changes_file(number, a) && !(number == SYS_futimesat && a[1]))
        return paths_judge_fd(t, a[0]);
    switch (number) {
    case SYS_ioctl: return is_plain_ioctl((u32)a[1]) ? 0 : -ENOTTY;
    case SYS_prctl: return is_plain_prctl(a[0]) ? 0 : -EINVAL;
    case SYS_clone: return is_plain_birth(a[0]) ? 0 : -EPERM;
    case SYS_socket: return (u32)a[0] == 1 || (u32)a[0] == 2 || (u32)a[0] == 10 ? 0 : -EAFNOSUPPORT;
    }
    return 0;
}

long policy_judge(struct thread *t, const struct policy *p, const struct call *c, u64 number,
                  const u64 a[6])
{
    if (!p)
        return 0;
    long ret = policy_error(p, number);
    if (!ret)
        ret = judge_arguments(t, number, a);
    if (number < POLICY_CALLS && p->logs[number])
        message("process %d: %s: %s", t->process->pid, c->name, ret ? "refused" : "allowed");
    if (!ret)
        return 0;
    COUNT(t->process->settings, refused);
    if (number < POLICY_CALLS && p->action[number] == POLICY_KILL) {
        message("process %d ended: the policy does not let it call %s", t->process->pid, c->name);
        signals_die(SIGSYS);
    }
    return ret;
}
