// SPDX-License-Identifier: Apache-2.0
// A program that tries to get at what its policy does not give it. Arguments: the directory that it
// may write to, and one beside it that it may not touch. One test for each way.
#include "base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char box[512], outside[512], secret[600];

__attribute__((constructor)) static void read_places(void)
{
    snprintf(box, sizeof(box), "%s", getenv("BOX"));
    snprintf(outside, sizeof(outside), "%s", getenv("OUTSIDE"));
    snprintf(secret, sizeof(secret), "%s/secret", outside);
    if (chdir(box))
        abort();
}

#define FAILS(call)                                                                      \
    do {                                                                                 \
        errno = 0;                                                                       \
        CHECK_EQ((call), -1);                                                            \
        CHECK(errno == EPERM || errno == EACCES || errno == ENOSYS || errno == EINVAL || \
              errno == EAFNOSUPPORT || errno == ENOTTY);                                 \
    } while (0)

TEST(what_is_allowed_works)
{
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "x", 1), 1);
    close(fd);
    CHECK_EQ(mkdir("directory", 0700), 0);
    CHECK_EQ(rename("file", "directory/file"), 0);
    CHECK_EQ(chmod("directory/file", 0600), 0);
    CHECK_EQ(symlink("directory/file", "link"), 0);
    CHECK_EQ(open("link", O_RDONLY) >= 0, 1);
    CHECK_EQ(unlink("link"), 0);
    CHECK_EQ(unlink("directory/file"), 0);
    CHECK_EQ(rmdir("directory"), 0);
    CHECK_EQ(open("missing", O_RDONLY), -1);
    CHECK_EQ(errno, ENOENT);
    CHECK_EQ(open("/dev/null", O_RDWR) >= 0, 1);
}

TEST(files_outside)
{
    struct stat st;
    FAILS(open(secret, O_RDONLY));
    FAILS(open("../outside/secret", O_RDONLY));
    FAILS(open(secret, O_PATH));
    FAILS(stat(secret, &st));
    FAILS(access(secret, R_OK));
    FAILS(truncate(secret, 0));
    FAILS(unlink(secret));
    FAILS(rename(secret, "mine"));
    FAILS(link(secret, "mine"));
    FAILS(mkdir("../outside/new", 0700));
    FAILS(chdir(outside));
    FAILS(open("/etc/passwd", O_WRONLY));
    FAILS(open("/nonexistent", O_RDONLY));
    int dir = open(".", O_RDONLY | O_DIRECTORY);
    FAILS(openat(dir, "../outside/secret", O_RDONLY));
    struct {
        u64 flags, mode, resolve;
    } how = {O_RDONLY, 0, 0};
    FAILS(syscall(437, AT_FDCWD, secret, &how, sizeof(how)));
}

TEST(descriptors_for_reading_change_nothing)
{
    struct timespec times[2] = {{1, 0}, {1, 0}};
    int fd = open("/usr", O_RDONLY);
    REQUIRE(fd >= 0);
    FAILS(fchmod(fd, 0777));
    FAILS(fchown(fd, 1, 1));
    FAILS(futimens(fd, times));
    FAILS(syscall(SYS_fchownat, fd, "", 1, 1, 0x1000));
    FAILS(syscall(SYS_fsetxattr, fd, "user.x", "y", 1, 0));
}

TEST(links_that_lead_outside)
{
    unlink("way");
    CHECK_EQ(symlink(secret, "way"), 0);
    FAILS(open("way", O_RDONLY));
    FAILS(open("way", O_WRONLY | O_CREAT, 0600));
    FAILS(truncate("way", 0));
    FAILS(chmod("way", 0777));
    FAILS(chown("way", 1, 1));
    unlink("way");
    CHECK_EQ(symlink("../outside/new", "way"), 0);
    CHECK_EQ(open("way", O_WRONLY | O_CREAT, 0600), -1);
    unlink("way");
    CHECK_EQ(symlink("..", "up"), 0);
    FAILS(open("up/outside/secret", O_RDONLY));
    unlink("up");
}

static volatile bool stop;

static void *swap(void *opaque)
{
    while (!stop) {
        unlink("race");
        if (symlink(secret, "race"))
            break;
        unlink("race");
        int fd = open("race", O_WRONLY | O_CREAT, 0600);
        close(fd);
    }
    return NULL;
}

TEST(a_link_that_is_swapped_meanwhile)
{
    pthread_t t;
    char c;
    stop = false;
    pthread_create(&t, NULL, swap, NULL);
    for (int i = 0; i < 400; i++) {
        int fd = open("race", O_RDONLY);
        if (fd >= 0)
            CHECK_EQ(read(fd, &c, 1), 0); // the harmless file is empty, the secret is not
        close(fd);
    }
    stop = true;
    pthread_join(t, NULL);
    unlink("race");
}

TEST(memory_by_files)
{
    char name[64];
    FAILS(open("/proc/self/mem", O_RDWR));
    FAILS(open("/proc/self/maps", O_RDONLY));
    FAILS(open("/proc/self/task/self/mem", O_RDONLY) < 0 && errno == ENOENT ? (errno = EACCES, -1)
                                                                            : -1);
    snprintf(name, sizeof(name), "/proc/%d/mem", getpid());
    FAILS(open(name, O_RDWR));
    snprintf(name, sizeof(name), "/proc/%d/task/%d/mem", getpid(), getpid());
    FAILS(open(name, O_RDWR));
    FAILS(open("/proc/thread-self/mem", O_RDWR));
    FAILS(open("/proc/self/../self/mem", O_RDWR));
    FAILS(open("/proc/self/cwd/../../proc/self/mem", O_RDWR) < 0 ? (errno = EACCES, -1) : 0);
    symlink("/proc/self/mem", "m");
    FAILS(open("m", O_RDWR));
    unlink("m");
    FAILS(open("/proc/self/map_files", O_RDONLY));
    FAILS(open("/proc/self/environ", O_RDONLY));
    FAILS(open("/proc/kcore", O_RDONLY) < 0 ? (errno = errno == ENOENT ? EACCES : errno, -1) : 0);
}

TEST(descriptors_by_files)
{
    char name[64];
    for (int fd = 512; fd < 20000; fd++) {
        snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
        if (open(name, O_RDONLY) >= 0 && !CHECK(fd < 512))
            return;
    }
}

TEST(devices)
{
    FAILS(open("/dev/kvm", O_RDWR));
    FAILS(mknod("mem", S_IFCHR | 0600, 0x101) == 0 ? open("mem", O_RDONLY) : -1);
    unlink("mem");
}

TEST(other_processes)
{
    struct {
        void *at;
        u64 n;
    } v = {box, 8};
    FAILS(kill(1, 0));
    FAILS(kill(getppid(), 0));
    FAILS(kill(-1, 0));
    FAILS(kill(0, 0));
    FAILS(syscall(SYS_tkill, getppid(), 0));
    FAILS(syscall(SYS_ptrace, 16, getppid(), 0, 0));
    FAILS(syscall(SYS_process_vm_readv, getpid(), &v, 1, &v, 1, 0));
    FAILS(syscall(SYS_process_vm_writev, getpid(), &v, 1, &v, 1, 0));
    FAILS(syscall(434, 1, 0));    // pidfd_open
    FAILS(syscall(438, 0, 0, 0)); // pidfd_getfd
    FAILS(syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 0));
    FAILS(syscall(SYS_prlimit64, 1, 7, NULL, &v));
    CHECK_EQ(kill(getpid(), 0), 0);
    pid_t child = fork();
    if (!child) {
        pause();
        _exit(0);
    }
    CHECK_EQ(kill(child, SIGKILL), 0);
    waitpid(child, NULL, 0);
}

TEST(ways_round_the_monitor)
{
    u8 zeros[128] = {0};
    FAILS(syscall(425, 8, zeros)); // io_uring_setup
    FAILS(syscall(SYS_userfaultfd, 0));
    FAILS(syscall(SYS_bpf, 0, zeros, 64));
    FAILS(syscall(SYS_perf_event_open, zeros, 0, -1, -1, 0));
    FAILS(syscall(SYS_seccomp, 1, 0, zeros));
    FAILS(syscall(SYS_unshare, CLONE_NEWUSER));
    FAILS(syscall(SYS_setns, 0, 0));
    FAILS(syscall(SYS_mount, "a", "b", "c", 0, NULL));
    FAILS(syscall(SYS_chroot, "."));
    FAILS(syscall(SYS_pivot_root, ".", "."));
    FAILS(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
    FAILS(syscall(SYS_add_key, "user", "x", "y", 1, -1));
    FAILS(syscall(SYS_init_module, zeros, 8, ""));
    FAILS(syscall(SYS_remap_file_pages, box, 4096, 0, 0, 0));
    FAILS(syscall(SYS_setuid, 0));
    FAILS(syscall(SYS_open_by_handle_at, 0, zeros, 0));
    FAILS(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0));
    FAILS(syscall(9999));
}

TEST(settings_of_the_monitor)
{
    FAILS(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
    FAILS(prctl(PR_SET_SECCOMP, 2, 0, 0, 0));
    FAILS(prctl(PR_SET_PTRACER, -1, 0, 0, 0));
    FAILS(ioctl(0, 0x5412, "x")); // TIOCSTI
}

TEST(sockets_with_names)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    if (s < 0)
        SKIP("the policy has no sockets");
    snprintf(a.sun_path, sizeof(a.sun_path), "../outside/socket");
    FAILS(bind(s, (struct sockaddr *)&a, sizeof(a)));
    FAILS(connect(s, (struct sockaddr *)&a, sizeof(a)));
    FAILS(socket(16, SOCK_RAW, 0)); // netlink
    FAILS(socket(17, SOCK_RAW, 0)); // packet
}

TEST(the_environment_is_not_the_monitors)
{
    int status;
    pid_t child = fork();
    if (!child) {
        char *env[] = {"LD_PRELOAD=./evil.so", "LD_AUDIT=./evil.so",    "GLIBC_TUNABLES=x=y",
                       "LD_DEBUG=all",         "LD_DEBUG_OUTPUT=debug", NULL};
        execve(getenv("STATIC"), (char *[]){"true", NULL}, env);
        _exit(99);
    }
    waitpid(child, &status, 0);
    CHECK_EQ(status, 0);
    CHECK_EQ(access("debug", F_OK), -1);
}

TEST(what_may_only_be_read_is_not_executed)
{
    unlink("program");
    FAILS(execve("/etc/ld.so.cache", (char *[]){"x", NULL}, NULL));
    int from = open(getenv("STATIC"), O_RDONLY),
        to = open("program", O_WRONLY | O_CREAT | O_TRUNC, 0755);
    CHECK(from >= 0 && to >= 0 && sendfile(to, from, NULL, 100 << 20) > 0);
    close(to);
    FAILS(execve("./program", (char *[]){"x", NULL}, NULL));
    unlink("program");
}

// A file in memory is not below any path that a rule names.
TEST(a_file_in_memory_is_not_executed)
{
    int from = open(getenv("STATIC"), O_RDONLY), to = (int)syscall(SYS_memfd_create, "program", 0);
    char name[64];
    REQUIRE(from >= 0 && to >= 0);
    CHECK(sendfile(to, from, NULL, 100 << 20) > 0);
    FAILS(syscall(SYS_execveat, to, "", (char *[]){"x", NULL}, NULL, 0x1000));
    snprintf(name, sizeof(name), "/proc/self/fd/%d", to);
    FAILS(execve(name, (char *[]){"x", NULL}, NULL));
    close(from);
    close(to);
}

TEST(the_policy_holds_after_exec)
{
    int status;
    char *shell =
        "exec 2> /dev/null; cat ../outside/secret && exit 1; cat /proc/self/mem && exit 2; exit 0";
    pid_t child = fork();
    if (!child) {
        execl("/bin/sh", "sh", "-c", shell, NULL);
        _exit(99);
    }
    waitpid(child, &status, 0);
    CHECK_EQ(status, 0);
}
