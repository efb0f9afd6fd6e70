// SPDX-License-Identifier: Apache-2.0
// Attacks by what only this architecture has.
#include "base/test.h"
#include "test/dune/machine.h"
#include "test/dune/trial.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_refused(struct trial t)
{
    return t.signal == SIGSEGV || t.signal == SIGBUS;
}

// The monitor's part of a guest is seen from PLV0, through a window.
TEST(windows_of_the_guests_kernel)
{
    for (u64 segment = 0; segment < 16; segment++)
        for (u64 gpa = 0; gpa < 0x140000000; gpa += 0x14000000) {
            u8 *at = (u8 *)(segment << 60 | gpa);
            if (!segment)
                continue;
            CHECK(is_refused(trial_read(at)));
            CHECK(is_refused(trial_write(at)));
            CHECK(is_refused(trial_call(at)));
        }
}

TEST(the_page_that_handlers_return_to)
{
    u8 *at = (u8 *)0x500000100000;
    CHECK_EQ(trial_write(at).signal, SIGSEGV);
    CHECK_EQ(trial_write(at + 0x80).signal, SIGSEGV);
    CHECK_EQ(trial_read(at).signal, 0);
}

static void open_door(void *opaque)
{
    __asm__ volatile(".word 0x002b8102" : : : "$a0", "memory"); // hvcl 0x102
}

// A call that was made before is not made again.
TEST(the_door_is_not_the_programs)
{
    for (int i = 0; i < 10; i++) {
        pid_t child = (pid_t)syscall(SYS_getppid);
        CHECK_EQ(trial_of(open_door, NULL).signal, SIGILL);
        CHECK_EQ(syscall(SYS_getppid), child);
    }
}

TEST(calls_with_other_codes_are_calls)
{
    register u64 number __asm__("$a7") = SYS_getppid;
    register u64 result __asm__("$a0") = 0;
    __asm__ volatile("syscall 0x102"
                     : "+r"(result)
                     : "r"(number)
                     : "$t0", "$t1", "$t2", "$t3", "$t4", "$t5", "$t6", "$t7", "$t8", "memory");
    CHECK_EQ(result, getppid());
}

TEST(a_place_that_is_none)
{
    int status;
    pid_t child = fork();
    if (!child) {
        __asm__ volatile("jr %0" : : "r"(0x8000000000000000));
        _exit(0);
    }
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS));
}
