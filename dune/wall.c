// SPDX-License-Identifier: Apache-2.0
#include "dune/wall.h"
#include "dune/arch.h"
#include "dune/policy.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <sys/syscall.h>

enum { MOST = 600, FACCESSAT2 = 439 };

// What the monitor does for itself, from its own start to the program's end.
static const u16 own_calls[] = {
    SYS_read,
    SYS_write,
    SYS_open,
    SYS_openat,
    SYS_close,
    SYS_fstat,
    SYS_newfstatat,
    SYS_stat,
    SYS_lseek,
    SYS_mmap,
    SYS_mprotect,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_mincore,
    SYS_brk,
    SYS_pread64,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_ioctl,
    SYS_access,
    SYS_faccessat,
    FACCESSAT2,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_execveat,
    SYS_arch_prctl,
    SYS_set_tid_address,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_prlimit64,
    SYS_getrandom,
    SYS_fcntl,
    SYS_readlink,
    SYS_readlinkat,
    SYS_clone,
    SYS_pipe2,
    SYS_wait4,
    SYS_exit,
    SYS_exit_group,
    SYS_tgkill,
    SYS_gettid,
    SYS_getpid,
    SYS_prctl,
    SYS_futex,
    SYS_fstatfs,
    SYS_statfs,
    SYS_dup,
    SYS_personality,
    SYS_getcwd,
    SYS_sysinfo,
    SYS_uname,
    SYS_restart_syscall,
    SYS_clock_gettime,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
};

static bool needs(const struct policy *p, u32 number)
{
    for (u32 i = 0; i < ARRAY_LEN(own_calls); i++)
        if (own_calls[i] == number)
            return true;
    return policy_error(p, number) == 0;
}

static u32 end_of_run(const struct policy *p, u32 start)
{
    u32 end = start;
    bool needed = needs(p, start);
    while (end < POLICY_CALLS && needs(p, end) == needed)
        end++;
    return end;
}

// Numbers fall into runs that are needed or not; the first run that ends above a number decides.
u32 wall_write(const struct policy *p, struct sock_filter *to, u32 most)
{
    const struct sock_filter head[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH_AUDIT, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    };
    u32 n = ARRAY_LEN(head), end;
    if (n + 1 > most)
        return 0;
    memcpy(to, head, sizeof(head));
    for (u32 at = 0; at < POLICY_CALLS; at = end) {
        end = end_of_run(p, at);
        if (n + 3 > most)
            return 0;
        u32 answer = needs(p, at) ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | ENOSYS;
        to[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, end, 1, 0);
        to[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer);
    }
    to[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
    return n;
}

bool wall_build(const struct policy *p, struct err *e)
{
    struct sock_filter code[MOST];
    struct sock_fprog program = {.filter = code};
    program.len = (u16)wall_write(p, code, MOST);
    if (!program.len)
        return err_set(e, "the policy does not fit into a seccomp filter");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
        return err_set(e, "seccomp: %s", strerror(errno));
    return true;
}
