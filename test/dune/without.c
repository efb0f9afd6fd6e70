// SPDX-License-Identifier: Apache-2.0
// Executes a program for which KVM lacks one capability: without NUMBER PROGRAM [ARGUMENT]...
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field)         BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    struct sock_filter code[] = {
        LOAD(nr),
        UNLESS(SYS_ioctl, 5),
        LOAD(args[1]),
        UNLESS(KVM_CHECK_EXTENSION, 3),
        LOAD(args[2]),
        UNLESS((unsigned)atoi(argv[1]), 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO), // no error: the call gives 0
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)) {
        fprintf(stderr, "without: seccomp: %s\n", strerror(errno));
        return 2;
    }
    execv(argv[2], argv + 2);
    fprintf(stderr, "without: %s: %s\n", argv[2], strerror(errno));
    return 2;
}
