// SPDX-License-Identifier: Apache-2.0
// Attacks by what only this architecture has.
#include "base/test.h"
#include "test/dune/attack.h"
#include "test/dune/machine.h"
#include "test/dune/trial.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(calls_of_old)
{
    int e = epoll_create1(0);
    u64 fs = 0;
    FAILS(syscall(SYS_readlink, "/proc/self/root", target(), 64), EFAULT);
    FAILS(syscall(SYS_stat, "/", target()), EFAULT);
    FAILS(syscall(SYS_epoll_wait, e, target(), 4, 0), EFAULT);
    FAILS(syscall(SYS_poll, target(), 1, 0), EFAULT);
    FAILS(syscall(SYS_select, 8, target(), NULL, NULL, target()), EFAULT);
    FAILS(syscall(SYS_arch_prctl, 0x1003, target()), EFAULT);
    FAILS(syscall(SYS_modify_ldt, 1, &fs, 16), ENOSYS);
    FAILS(syscall(SYS_iopl, 3), ENOSYS);
}

TEST(the_guests_kernel)
{
    for (u64 at = 0xffff888000000000; at < 0xffff888000000000 + 16 * PAGE; at += PAGE) {
        CHECK_EQ(trial_read((u8 *)at).signal, SIGSEGV);
        CHECK_EQ(trial_write((u8 *)at).signal, SIGSEGV);
        CHECK_EQ(trial_call((u8 *)at).signal, SIGSEGV);
    }
    CHECK_EQ(trial_write((u8 *)0x500000100000).signal, SIGSEGV);
}

static void far_jump(void *opaque)
{
    struct {
        u64 at;
        u16 selector;
    } __attribute__((packed)) to = {0xffff888000002000, 0x10};
    __asm__ volatile("rex.w ljmp *%0" : : "m"(to));
}

TEST(a_far_jump_into_ring_0)
{
    CHECK_EQ(trial_of(far_jump, NULL).signal, SIGSEGV);
}

// The door is a system call like any other: of what the registers say.
TEST(the_door_without_the_instruction)
{
    u64 result = SYS_getppid;
    __asm__ volatile("lea 1f(%%rip), %%rcx\n jmp *%1\n1:"
                     : "+a"(result)
                     : "r"(0x500000100040)
                     : "rcx", "memory");
    CHECK_EQ(result, getppid());
}

TEST(a_return_address_that_is_none)
{
    int status;
    pid_t child = fork();
    if (!child) {
        __asm__ volatile("mov $0x8000000000000000, %%rcx\n jmp *%1"
                         :
                         : "a"(SYS_getppid), "r"(0x500000100040)
                         : "rcx");
        _exit(0);
    }
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}
