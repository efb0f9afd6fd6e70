// SPDX-License-Identifier: Apache-2.0
// What is different for a program in guest mode, as lh-enter(1) lists it: each refusal is the one
// that is documented, and nothing else is lost by it. Runs in a guest only, without a policy.
#include "base/test.h"
#include "test/dune/fails.h"
#include "test/dune/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern const unsigned int __rseq_size __attribute__((weak));

static void *ask_for_rseq(void *opaque)
{
    static __thread u32 area[8] __attribute__((aligned(32)));
    errno = 0;
    return (void *)(u64)(syscall(SYS_rseq, area, 32, 0, 0x53053053) == -1 && errno == ENOSYS);
}

// The C library asks once per thread, and goes on without.
TEST(restartable_sequences_do_not_exist)
{
    pthread_t t;
    void *refused;
    CHECK(ask_for_rseq(NULL));
    REQUIRE(pthread_create(&t, NULL, ask_for_rseq, NULL) == 0);
    pthread_join(t, &refused);
    CHECK(refused);
    CHECK(!&__rseq_size || __rseq_size == 0);
    CHECK(sched_getcpu() >= 0);
}

// A core file would be the monitor's: there is none, although the limit would let it be written.
TEST(there_is_no_core_file)
{
    char box[] = "/tmp/lh-core-XXXXXX";
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    struct stat s;
    int status;
    REQUIRE(mkdtemp(box));
    pid_t child = fork();
    if (!child) {
        getrlimit(RLIMIT_CORE, &all);
        all.rlim_cur = all.rlim_max;
        setrlimit(RLIMIT_CORE, &all);
        if (chdir(box))
            _exit(1);
        int *volatile nothing = (int *)8;
        *nothing = 1;
        _exit(2);
    }
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV && !WCOREDUMP(status));
    CHECK(stat(box, &s) == 0 && s.st_nlink == 2);
    CHECK_EQ(rmdir(box), 0); // which fails for a directory with a file
}

TEST(calls_that_do_not_exist)
{
    u8 zeros[64] = {0};
    u8 *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < machine_n_absent_calls; i++)
        FAILS(syscall(machine_absent_calls[i], 0, zeros, sizeof(zeros)), ENOSYS);
    FAILS(syscall(447, 0), ENOSYS);             // memfd_secret
    FAILS(syscall(453, 0, PAGE, 0), ENOSYS);    // map_shadow_stack
    FAILS(syscall(462, page, PAGE, 0), ENOSYS); // mseal
    FAILS(syscall(SYS_remap_file_pages, page, PAGE, 0, 0, 0), ENOSYS);
    FAILS(syscall(600), ENOSYS);
    FAILS(syscall(-5), ENOSYS);
    CHECK_EQ(munmap(page, PAGE), 0);
}

TEST(protection_keys_are_not_to_be_had)
{
    CHECK_EQ(syscall(SYS_pkey_alloc, 0, 0), -1);
    CHECK(errno == ENOSYS || errno == ENOSPC || errno == EINVAL);
    u8 *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_EQ(syscall(SYS_pkey_mprotect, page, PAGE, PROT_READ | PROT_WRITE, -1), 0);
    page[0] = 1; // without a key it is mprotect
    munmap(page, PAGE);
}

TEST(kinds_of_children_that_are_refused)
{
    u8 *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_EQ(syscall(SYS_clone, CLONE_VM | SIGCHLD, stack + 65536, NULL, NULL, 0), -1);
    pid_t tid = 30000;
    struct clone_args a = {.exit_signal = SIGCHLD, .set_tid = (u64)&tid, .set_tid_size = 1};
    CHECK_EQ(syscall(435, &a, sizeof(a)), -1);
    a = (struct clone_args){
        .exit_signal = SIGCHLD, .flags = 0x200000000ULL, .cgroup = 3}; // CLONE_INTO_CGROUP
    CHECK_EQ(syscall(435, &a, sizeof(a)), -1);
    munmap(stack, 65536);
    pid_t child = fork(); // and those that are not refused still work
    if (!child)
        _exit(4);
    int status;
    waitpid(child, &status, 0);
    CHECK_EQ(WEXITSTATUS(status), 4);
}

TEST(a_guest_gets_no_machine)
{
    int fd = open("/dev/kvm", O_RDWR);
    if (fd >= 0) {
        FAILS(syscall(SYS_ioctl, fd, 0xae01, 0), ENOTTY);
        close(fd);
    }
}

TEST(the_limit_of_open_files_is_lower)
{
    struct rlimit l;
    rlim_t n = 0;
    int last = 0;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &l), 0);
    CHECK(l.rlim_cur >= 16 && l.rlim_cur <= l.rlim_max);
    for (int fd; n <= l.rlim_cur && (fd = dup(0)) >= 0; n++)
        last = fd;
    CHECK_EQ(errno, EMFILE);
    CHECK(n + 3 <= l.rlim_cur && n + 20 >= l.rlim_cur); // that many can be open, as it says
    CHECK_EQ(syscall(436, 3, last, 0), 0);
    CHECK_EQ(dup(0), 3);
    close(3);
}

// What the kernel tells a program at its start is the program's own.
TEST(the_auxiliary_vector_is_the_programs)
{
    const char *name = (const char *)getauxval(AT_EXECFN);
    CHECK(name && strstr(name, "guest_only"));
    CHECK_EQ(getauxval(AT_PAGESZ), PAGE);
    CHECK_EQ(getauxval(AT_SECURE), 0);
    CHECK(getauxval(AT_RANDOM) && getauxval(AT_RANDOM) < 0x500000000000);
    CHECK(getauxval(AT_PHDR) && getauxval(AT_PHDR) < 0x500000000000);
    CHECK(getauxval(AT_SYSINFO_EHDR)); // the vDSO is shown
    CHECK(&name < (const char **)0x500000000000);
}

TEST(set_user_id_bits_give_nothing)
{
    int status;
    char box[] = "/tmp/lh-suid-XXXXXX", file[64], command[512];
    if (geteuid())
        SKIP("only root can make such a file for another user");
    REQUIRE(mkdtemp(box));
    chmod(box, 0755);
    // In a small system `id` is a program of many names, which goes by this one.
    snprintf(file, sizeof(file), "%s/busybox", box);
    snprintf(command, sizeof(command),
             "f=$(readlink -f $(command -v id)); test -f \"$f\" || f=/bin/busybox; cp $f %s && "
             "chown 65534 %s && chmod 4755 %s",
             file, file, file);
    REQUIRE(system(command) == 0);
    snprintf(command, sizeof(command),
             "f=$(readlink -f $(command -v id)); case $f in /usr/bin/id) n=;; *) n=id;; esac; "
             "test $(%s $n -u) = 0",
             file);
    status = system(command);
    CHECK_EQ(status, 0);
    unlink(file);
    rmdir(box);
}
