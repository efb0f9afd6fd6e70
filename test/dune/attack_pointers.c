// SPDX-License-Identifier: Apache-2.0
// A program that knows where its monitor is and tries to have the kernel, which acts for the
// monitor, read or write there. One test for each way in. Runs in a guest only, without a policy.
#include "base/test.h"
#include "test/dune/attack.h"
#include "test/dune/machine.h"
#include "test/dune/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

u8 *target(void)
{
    static u8 *found;
    char line[512];
    FILE *f = found ? NULL : fopen("/proc/self/maps", "r");
    while (f && fgets(line, sizeof(line), f)) {
        unsigned long long start, end;
        char rights[8];
        if (sscanf(line, "%llx-%llx %7s", &start, &end, rights) == 3 && start >= 0x500000000000 &&
            rights[1] == 'w' && !strstr(line, "[stack]") && !strstr(line, "kvm"))
            found = (u8 *)start;
    }
    if (f)
        fclose(f);
    return found;
}

TEST(there_is_something_to_attack)
{
    CHECK(target());
}

TEST(direct_access)
{
    CHECK_EQ(trial_read(target()).signal, SIGSEGV);
    CHECK_EQ(trial_write(target()).signal, SIGSEGV);
    CHECK_EQ(trial_call(target()).signal, SIGSEGV);
}

TEST(buffers)
{
    int zero = open("/dev/zero", O_RDWR);
    FAILS(read(zero, target(), 64), EFAULT);
    FAILS(write(zero, target(), 64), EFAULT);
    FAILS(pread(zero, target(), 64, 0), EFAULT);
    FAILS(pwrite(zero, target(), 64, 0), EFAULT);
    FAILS(syscall(SYS_getrandom, target(), 64, 0), EFAULT);
    FAILS(syscall(SYS_getcwd, target(), 4096), EFAULT);
    FAILS(syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/root", target(), 64), EFAULT);
    FAILS(syscall(SYS_getdents64, open("/", O_RDONLY), target(), 4096), EFAULT);
    // From below the border to above it.
    FAILS(read(zero, (void *)0x4ffffffff000, 0x7f0000000000 - 0x4ffffffff000), EFAULT);
    FAILS(read(zero, (void *)0x4fffffffc000, 0x8000), EFAULT);
}

TEST(structures)
{
    FAILS(syscall(SYS_fstat, 0, target()), EFAULT);
    FAILS(syscall(SYS_newfstatat, AT_FDCWD, "/", target(), 0), EFAULT);
    FAILS(syscall(SYS_statx, AT_FDCWD, "/", 0, 0x7ff, target()), EFAULT);
    FAILS(syscall(SYS_uname, target()), EFAULT);
    FAILS(syscall(SYS_pipe2, target(), 0), EFAULT);
    FAILS(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, target()), EFAULT);
    FAILS(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, target()), EFAULT);
    FAILS(syscall(SYS_gettimeofday, target(), NULL), EFAULT);
    FAILS(syscall(SYS_times, target()), EFAULT);
    FAILS(syscall(SYS_getrusage, 0, target()), EFAULT);
    FAILS(syscall(SYS_sysinfo, target()), EFAULT);
    FAILS(syscall(SYS_getresuid, target(), target(), target()), EFAULT);
    FAILS(syscall(SYS_prlimit64, 0, 7, NULL, target()), EFAULT);
    FAILS(syscall(SYS_getgroups, 100, target()), EFAULT);
    FAILS(syscall(SYS_sched_getaffinity, 0, 128, target()), EFAULT);
    FAILS(syscall(SYS_wait4, -1, target(), WNOHANG, NULL), EFAULT);
    FAILS(syscall(SYS_waitid, P_ALL, 0, target(), WNOHANG | WEXITED, NULL), EFAULT);
}

TEST(texts)
{
    FAILS(open((char *)target(), O_RDONLY), EFAULT);
    FAILS(mkdir((char *)target(), 0700), EFAULT);
    FAILS(syscall(SYS_execve, target(), NULL, NULL), EFAULT);
    char *arguments[] = {(char *)target(), NULL};
    FAILS(syscall(SYS_execve, "/bin/true", arguments, NULL), EFAULT);
    FAILS(execve("/bin/true", (char **)target(), NULL), EFAULT);
    FAILS(execve("/bin/true", (char *[]){"x", NULL}, arguments), EFAULT);
}

TEST(vectors)
{
    int zero = open("/dev/zero", O_RDWR), pair[2];
    struct iovec v[2] = {{"abc", 3}, {target(), 64}};
    FAILS(readv(zero, v + 1, 1), EFAULT);
    FAILS(writev(zero, v, 2), EFAULT);
    FAILS(preadv(zero, v + 1, 1, 0), EFAULT);
    FAILS(readv(zero, (struct iovec *)target(), 1), EFAULT);
    REQUIRE(pipe(pair) == 0);
    FAILS(vmsplice(pair[1], v + 1, 1, 0), EFAULT);
}

TEST(messages)
{
    int pair[2];
    char c = 0;
    struct iovec good = {&c, 1}, bad = {target(), 8};
    REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    struct msghdr m = {.msg_iov = &bad, .msg_iovlen = 1};
    FAILS(sendmsg(pair[0], &m, 0), EFAULT);
    CHECK_EQ(send(pair[0], "x", 1, 0), 1);
    FAILS(recvmsg(pair[1], &m, MSG_DONTWAIT), EFAULT);
    m = (struct msghdr){
        .msg_iov = &good, .msg_iovlen = 1, .msg_control = target(), .msg_controllen = 64};
    FAILS(sendmsg(pair[0], &m, 0), EFAULT);
    FAILS(recvmsg(pair[1], &m, MSG_DONTWAIT), EFAULT);
    m = (struct msghdr){.msg_iov = &good, .msg_iovlen = 1, .msg_name = target(), .msg_namelen = 64};
    FAILS(recvmsg(pair[1], &m, MSG_DONTWAIT), EFAULT);
    FAILS(recvmsg(pair[1], (struct msghdr *)target(), MSG_DONTWAIT), EFAULT);
    struct mmsghdr many = {.msg_hdr = {.msg_iov = &bad, .msg_iovlen = 1}};
    FAILS(recvmmsg(pair[1], &many, 1, MSG_DONTWAIT, NULL), EFAULT);
    FAILS(sendmmsg(pair[0], &many, 1, 0), EFAULT);
}

TEST(sockets)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct {
        u64 n;
        void *at;
    } filter = {4, target()};
    socklen_t n = 4;
    FAILS(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)), EFAULT);
    FAILS(setsockopt(s, SOL_SOCKET, SO_SNDBUF, target(), 4), EFAULT);
    FAILS(getsockopt(s, SOL_SOCKET, SO_SNDBUF, target(), &n), EFAULT);
    FAILS(getsockopt(s, SOL_SOCKET, SO_SNDBUF, &n, (socklen_t *)target()), EFAULT);
    FAILS(getsockname(s, (void *)target(), &n), EFAULT);
    FAILS(bind(s, (void *)target(), 16), EFAULT);
    FAILS(syscall(SYS_recvfrom, s, &filter, 4, MSG_DONTWAIT, target(), &n), EFAULT);
    struct {
        int size, pad;
        void *at;
    } list = {64, 0, target()};
    FAILS(ioctl(s, 0x8912, &list), EFAULT);
}

TEST(waiting)
{
    int e = epoll_create1(0);
    sigset_t set;
    u64 mask[2] = {(u64)target(), 8};
    FAILS(syscall(SYS_epoll_pwait, e, target(), 4, 0, NULL, 8), EFAULT);
    FAILS(syscall(SYS_ppoll, target(), 1, NULL, NULL, 8), EFAULT);
    FAILS(syscall(SYS_pselect6, 8, target(), NULL, NULL, NULL, NULL), EFAULT);
    FAILS(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, mask), EFAULT);
    FAILS(syscall(SYS_nanosleep, target(), NULL), EFAULT);
    FAILS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, target(), 8), EFAULT);
    FAILS(syscall(SYS_rt_sigaction, SIGUSR1, target(), NULL, 8), EFAULT);
    FAILS(syscall(SYS_rt_sigaction, SIGUSR1, NULL, target(), 8), EFAULT);
    FAILS(syscall(SYS_rt_sigpending, target(), 8), EFAULT);
    sigfillset(&set);
    FAILS(syscall(SYS_rt_sigtimedwait, &set, target(), mask, 8), EFAULT);
}

TEST(futexes)
{
    struct {
        u64 value;
        void *at;
        u32 flags, pad;
    } item = {0, target(), 2, 0};
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    FAILS(syscall(SYS_futex, target(), FUTEX_WAKE, 1), EFAULT);
    FAILS(syscall(SYS_futex, target(), FUTEX_LOCK_PI, 0, NULL), EFAULT);
    FAILS(syscall(SYS_futex, &now, FUTEX_WAKE_OP, 1, 1, target(), 0), EFAULT);
    FAILS(syscall(SYS_futex, &now, FUTEX_WAIT, 1, target()), EFAULT);
    FAILS(syscall(449, &item, 1, 0, &now, CLOCK_MONOTONIC), EFAULT);
}

TEST(threads_and_children)
{
    FAILS(syscall(SYS_clone, CLONE_CHILD_SETTID | SIGCHLD, NULL, NULL, target(), 0), EFAULT);
    FAILS(syscall(SYS_clone, CLONE_PARENT_SETTID | SIGCHLD, NULL, target(), NULL, 0), EFAULT);
    FAILS(syscall(SYS_set_tid_address, target()), EFAULT);
    FAILS(syscall(SYS_set_robust_list, target(), 24), EFAULT);
    u64 c[11] = {CLONE_CHILD_SETTID, 0, (u64)target(), 0, SIGCHLD};
    FAILS(syscall(435, c, sizeof(c)), EFAULT);
    FAILS(syscall(435, target(), 88), EFAULT);
    FAILS(syscall(SYS_rseq, target(), 32, 0, 0), EFAULT);
}

TEST(mappings)
{
    u8 *at = (u8 *)((u64)target() & ~(u64)(PAGE - 1));
    int rights = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    u8 *mine = mmap(NULL, PAGE, rights, flags, -1, 0);
    CHECK(mmap(at, PAGE, rights, flags | MAP_FIXED, -1, 0) == MAP_FAILED);
    CHECK(mmap(at, PAGE, rights, flags | 0x100000, -1, 0) == MAP_FAILED);
    CHECK(mmap((void *)0x500000200000, PAGE, rights, flags | MAP_FIXED, -1, 0) == MAP_FAILED);
    CHECK(mmap(at, PAGE, rights, flags, -1, 0) < (void *)0x500000000000);
    FAILS(munmap(at, PAGE), EINVAL);
    FAILS(mprotect(at, PAGE, PROT_NONE), ENOMEM);
    FAILS(madvise(at, PAGE, MADV_DONTNEED), ENOMEM);
    FAILS(mlock(at, PAGE), ENOMEM);
    CHECK(mremap(mine, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) == MAP_FAILED);
    CHECK(mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, mine) == MAP_FAILED);
    CHECK(mremap(at, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
    int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
    CHECK(shmat(id, at, SHM_REMAP) == (void *)-1);
    shmctl(id, IPC_RMID, NULL);
    CHECK((u64)syscall(SYS_brk, target()) < 0x500000000000);
    CHECK_EQ(munmap((void *)PAGE, 0x7ffffff00000), -1);
}

TEST(settings)
{
    FAILS(prctl(PR_SET_MM, 1, target(), 0, 0), EINVAL);
    FAILS(prctl(PR_SET_SECCOMP, 1, 0, 0, 0), EINVAL);
    FAILS(prctl(59, 1, 0, 0, 0), EINVAL);
    FAILS(prctl(PR_SET_NAME, target(), 0, 0, 0), EFAULT);
    FAILS(prctl(PR_GET_PDEATHSIG, target(), 0, 0, 0), EFAULT);
    FAILS(ioctl(0, 0x5413, target()), EFAULT);
    FAILS(fcntl(0, F_GETLK, target()), EFAULT);
}

static void set_bad_stack(void *opaque)
{
    stack_t s = {.ss_sp = target(), .ss_size = 65536};
    struct sigaction a = {.sa_handler = _exit, .sa_flags = SA_ONSTACK};
    sigaltstack(&s, NULL);
    sigaction(SIGUSR1, &a, NULL);
    raise(SIGUSR1);
}

TEST(a_signal_frame_is_not_written_there)
{
    int status;
    pid_t child = fork();
    if (!child) {
        set_bad_stack(NULL);
        _exit(0);
    }
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

TEST(a_signal_frame_is_not_read_there)
{
    int status;
    pid_t child = fork();
    if (!child)
        machine_return_from(target() + 512);
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

TEST(descriptors_of_the_monitor)
{
    int pair[2], n_reached = 0;
    struct stat st;
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    for (int fd = 1000; fd < 21000; fd++) {
        n_reached += fstat(fd, &st) == 0;
        n_reached += ioctl(fd, 0xae00, 0) >= 0;
        n_reached += dup(fd) >= 0;
    }
    CHECK_EQ(n_reached, 0);
    for (int fd = 1000; fd < 21000; fd += 1)
        close(fd);
    CHECK_EQ(syscall(SYS_getppid), getppid()); // it still runs
}

static int monitor_fd(void)
{
    for (int fd = 512; fd < 20000; fd++)
        if (fcntl(0, F_DUPFD, fd) != fd)
            return fd;
        else
            close(fd);
    return -1;
}

TEST(descriptors_of_the_monitor_are_not_sent)
{
    int pair[2], fd = monitor_fd();
    char data = 'x', control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec iov = {&data, 1};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof(control)};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(c), &fd, sizeof(int));
    FAILS(sendmsg(pair[0], &m, 0), EBADF);
    FAILS(dup2(0, fd), EBADF);
}

TEST(another_virtual_machine)
{
    int fd = open("/dev/kvm", O_RDWR);
    if (fd >= 0)
        FAILS(ioctl(fd, 0xae01, 0), ENOTTY);
}

static struct iovec changing;
static volatile bool stop;

static void *change(void *opaque)
{
    while (!stop) {
        changing.iov_base = opaque;
        changing.iov_base = target();
    }
    return NULL;
}

TEST(a_vector_that_changes_meanwhile)
{
    static u8 mine[64];
    pthread_t t;
    int zero = open("/dev/zero", O_RDONLY), n_good = 0;
    changing = (struct iovec){mine, sizeof(mine)};
    stop = false;
    pthread_create(&t, NULL, change, mine);
    for (int i = 0; i < 5000; i++) {
        ssize_t n = readv(zero, &changing, 1);
        CHECK(n == 64 || (n == -1 && errno == EFAULT));
        n_good += n == 64;
    }
    stop = true;
    pthread_join(t, NULL);
    CHECK(n_good <= 5000);
}

TEST(privileged_instructions)
{
    for (int i = 0; i < machine_n_privileged; i++) {
        struct trial t = trial_of(machine_privileged, &i);
        if (!CHECK(t.signal == SIGSEGV || t.signal == SIGILL))
            printf("# instruction %d: signal %d\n", i, t.signal);
    }
}

TEST(slots_and_vcpus_run_out)
{
    int status;
    pid_t child = fork();
    if (!child) {
        for (u64 i = 1; i < 6000; i++) {
            u8 *at = mmap((void *)(i << 32), PAGE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (at == MAP_FAILED)
                break;
            if (i % 50 == 0 && trial_write(at).signal)
                break;
        }
        _exit(7);
    }
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static struct msghdr changing_message;
static struct iovec good_vector, bad_vector;

static void *change_message(void *opaque)
{
    while (!stop) {
        changing_message.msg_iov = &good_vector;
        good_vector.iov_base = target();
        changing_message.msg_iov = &bad_vector;
        good_vector.iov_base = opaque;
    }
    return NULL;
}

// What was checked is what is sent: another thread changes the message and its vector meanwhile.
TEST(a_message_that_changes_meanwhile)
{
    static u8 mine[64];
    pthread_t t;
    int pair[2], n_right = 0;
    u8 got[64];
    REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    memset(mine, 7, sizeof(mine));
    good_vector = (struct iovec){mine, sizeof(mine)};
    bad_vector = (struct iovec){target(), sizeof(mine)};
    changing_message = (struct msghdr){.msg_iov = &good_vector, .msg_iovlen = 1};
    stop = false;
    REQUIRE(pthread_create(&t, NULL, change_message, mine) == 0);
    for (int i = 0; i < 3000; i++) {
        ssize_t n = sendmsg(pair[0], &changing_message, 0);
        if (!CHECK(n == 64 || (n == -1 && errno == EFAULT)))
            break;
        if (n == 64 && recv(pair[1], got, sizeof(got), 0) == 64)
            n_right += memcmp(got, mine, sizeof(got)) == 0;
        else if (n == 64)
            CHECK(false);
    }
    stop = true;
    pthread_join(t, NULL);
    CHECK(n_right > 0);
}
