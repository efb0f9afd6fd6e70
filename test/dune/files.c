// SPDX-License-Identifier: Apache-2.0
// Files, descriptors and sockets as a program sees them; passes on the host too.
#include "base/test.h"
#include "test/dune/fails.h"
#include "test/dune/machine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char *box(void)
{
    static char name[] = "/tmp/lh-files-XXXXXX";
    if (name[strlen(name) - 1] == 'X' && (!mkdtemp(name) || chdir(name)))
        abort();
    return name;
}

static int fresh(const char *name, const char *text)
{
    box();
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        abort();
    return fd;
}

TEST(bytes_go_in_and_come_out)
{
    char got[16] = "";
    int fd = fresh("a", "0123456789");
    CHECK_EQ(lseek(fd, 3, SEEK_SET), 3);
    CHECK_EQ(read(fd, got, 4), 4);
    CHECK_STR(got, "3456");
    CHECK_EQ(pwrite(fd, "xy", 2, 8), 2);
    CHECK_EQ(pread(fd, got, 16, 6), 4);
    CHECK(!memcmp(got, "67xy", 4));
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 7);
    FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK_EQ(lseek(fd, 100, SEEK_END), 110);
    CHECK_EQ(write(fd, "z", 1), 1);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 111);
    CHECK_EQ(ftruncate(fd, 5), 0);
    CHECK_EQ(read(fd, got, 16), 0);
    close(fd);
    FAILS(read(fd, got, 1), EBADF);
    FAILS(open("nothing", O_RDONLY), ENOENT);
    FAILS(open("a", O_RDONLY | O_DIRECTORY), ENOTDIR);
    FAILS(open("a", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
    FAILS(open(".", O_RDWR), EISDIR);
}

TEST(vectors)
{
    char a[4] = "", b[4] = "";
    int fd = fresh("v", "");
    struct iovec out[3] = {{"ab", 2}, {"", 0}, {"cdef", 4}}, in[2] = {{a, 3}, {b, 3}};
    CHECK_EQ(writev(fd, out, 3), 6);
    CHECK_EQ(preadv(fd, in, 2, 0), 6);
    CHECK(!memcmp(a, "abc", 3) && !memcmp(b, "def", 3));
    CHECK_EQ(pwritev2(fd, out, 3, 0, RWF_APPEND), 6);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 12);
    FAILS(syscall(SYS_readv, fd, in, -1), EINVAL);
    FAILS(syscall(SYS_readv, fd, in, 1025), EINVAL);
    FAILS(writev(fd, (struct iovec[]){{"a", (size_t)-1}}, 1), EINVAL);
    CHECK_EQ(readv(fd, in, 0), 0);
    // A vector of which a part cannot be reached: what comes before it is done.
    lseek(fd, 0, SEEK_SET);
    struct iovec half[2] = {{a, 3}, {(void *)8, 3}};
    CHECK_EQ(readv(fd, half, 2), 3);
    close(fd);
}

TEST(names_and_links)
{
    struct stat s, t;
    char to[64];
    close(fresh("one", "1"));
    CHECK_EQ(link("one", "two"), 0);
    CHECK(stat("one", &s) == 0 && stat("two", &t) == 0 && s.st_ino == t.st_ino && s.st_nlink == 2);
    CHECK_EQ(symlink("one", "three"), 0);
    CHECK_EQ(readlink("three", to, sizeof(to)), 3);
    CHECK(lstat("three", &s) == 0 && S_ISLNK(s.st_mode));
    CHECK_EQ(rename("one", "four"), 0);
    FAILS(stat("three", &s), ENOENT);
    CHECK_EQ(mkdir("d", 0755), 0);
    FAILS(rmdir("nowhere/b"), ENOENT);
    FAILS(unlink("d"), EISDIR);
    int d = open("d", O_RDONLY | O_DIRECTORY);
    CHECK_EQ(renameat(AT_FDCWD, "four", d, "five"), 0);
    FAILS(rmdir("d"), ENOTEMPTY);
    CHECK_EQ(faccessat(d, "five", R_OK, 0), 0);
    CHECK_EQ(unlinkat(d, "five", 0), 0);
    CHECK_EQ(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR), 0);
    close(d);
    unlink("two");
    unlink("three");
    CHECK_EQ(symlink("loop", "loop"), 0);
    FAILS(open("loop", O_RDONLY), ELOOP);
    unlink("loop");
}

TEST(directories_are_listed)
{
    char name[32];
    int n = 0;
    box();
    mkdir("many", 0755);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "many/%d", i);
        close(open(name, O_CREAT | O_WRONLY, 0600));
    }
    DIR *d = opendir("many");
    for (const struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.' && unlinkat(dirfd(d), e->d_name, 0) == 0;
    CHECK_EQ(n, 300);
    closedir(d);
    CHECK_EQ(rmdir("many"), 0);
}

TEST(what_is_said_of_a_file)
{
    struct timespec times[2] = {{1000, 5}, {2000, 7}};
    struct stat s;
    struct statx x;
    struct statvfs v;
    int fd = fresh("said", "12345");
    CHECK_EQ(fchmod(fd, 0600), 0);
    CHECK_EQ(futimens(fd, times), 0);
    CHECK_EQ(fstat(fd, &s), 0);
    CHECK(s.st_size == 5 && (s.st_mode & 07777) == 0600 && s.st_mtim.tv_sec == 2000);
    CHECK_EQ(statx(AT_FDCWD, "said", 0, STATX_ALL, &x), 0);
    CHECK(x.stx_size == 5 && x.stx_atime.tv_sec == 1000);
    CHECK_EQ(statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &x), 0);
    CHECK_EQ(fstatvfs(fd, &v), 0);
    CHECK(v.f_bsize > 0);
    mode_t mask = umask(077);
    close(open("masked", O_CREAT | O_WRONLY, 0666));
    umask(mask);
    CHECK(stat("masked", &s) == 0 && (s.st_mode & 07777) == 0600);
    if (fsetxattr(fd, "user.lh", "value", 5, 0) == 0) {
        char got[16];
        CHECK_EQ(getxattr("said", "user.lh", got, sizeof(got)), 5);
        FAILS(getxattr("said", "user.lh", got, 2), ERANGE);
    }
    close(fd);
}

TEST(descriptors_are_copied)
{
    int fd = fresh("dup", "abc");
    int other = fcntl(fd, F_DUPFD_CLOEXEC, 100);
    CHECK(other >= 100);
    CHECK_EQ(fcntl(other, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(lseek(other, 1, SEEK_SET), 1);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 1);
    CHECK_EQ(dup3(fd, 200, O_CLOEXEC), 200);
    FAILS(dup3(fd, fd, 0), EINVAL);
    CHECK_EQ(dup2(fd, fd), fd);
    CHECK_EQ(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK), 0);
    CHECK_EQ(fcntl(other, F_GETFL) & (O_APPEND | O_NONBLOCK | O_ACCMODE),
             O_APPEND | O_NONBLOCK | O_RDWR);
    close(200);
    close(other);
    close(fd);
    FAILS(dup(fd), EBADF);
    FAILS(fcntl(fd, F_GETFL), EBADF);
}

static int in_child(int (*act)(int), int fd)
{
    int status = -1;
    pid_t child = fork();
    if (!child)
        _exit(act(fd));
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int try_lock(int fd)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};
    return fcntl(fd, F_SETLK, &l) == 0 ? 0 : errno;
}

static int try_flock(int fd)
{
    fd = open("lock", O_RDWR);
    return flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
}

TEST(locks)
{
    int fd = fresh("lock", "");
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 10};
    CHECK_EQ(fcntl(fd, F_SETLK, &l), 0);
    CHECK_EQ(in_child(try_lock, fd), EAGAIN);
    l.l_type = F_UNLCK;
    CHECK_EQ(fcntl(fd, F_SETLK, &l), 0);
    CHECK_EQ(in_child(try_lock, fd), 0);
    CHECK_EQ(flock(fd, LOCK_EX), 0);
    CHECK_EQ(in_child(try_flock, fd), EAGAIN);
    CHECK_EQ(flock(fd, LOCK_UN), 0);
    CHECK_EQ(in_child(try_flock, fd), 0);
    close(fd);
}

TEST(pipes)
{
    int fds[2], n = 0, capacity;
    char byte = 0, buffer[4096] = {0};
    REQUIRE(pipe2(fds, O_NONBLOCK) == 0);
    capacity = fcntl(fds[0], F_GETPIPE_SZ);
    CHECK_EQ(capacity, 16 * PAGE);
    FAILS(read(fds[0], &byte, 1), EAGAIN);
    while (write(fds[1], buffer, sizeof(buffer)) == sizeof(buffer))
        n++;
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(n, capacity / (int)sizeof(buffer));
    CHECK_EQ(ioctl(fds[0], FIONREAD, &n), 0);
    CHECK_EQ(n, capacity);
    CHECK_EQ(fcntl(fds[0], F_SETPIPE_SZ, 2 * capacity), 2 * capacity);
    close(fds[0]);
    signal(SIGPIPE, SIG_IGN);
    FAILS(write(fds[1], "x", 1), EPIPE);
    signal(SIGPIPE, SIG_DFL);
    close(fds[1]);
    FAILS(pipe2(fds, 0x10000000), EINVAL);
}

TEST(bytes_move_without_being_seen)
{
    int from = fresh("from", "contents of a file"), to = fresh("to", ""), fds[2];
    char got[32] = "";
    off_t at = 9;
    REQUIRE(pipe(fds) == 0);
    CHECK_EQ(sendfile(to, from, &at, 4), 4);
    CHECK_EQ(at, 13);
    at = 0;
    CHECK_EQ(splice(from, &at, fds[1], NULL, 8, 0), 8);
    CHECK_EQ(splice(fds[0], NULL, to, NULL, 8, 0), 8);
    CHECK_EQ(pread(to, got, 31, 0), 12);
    CHECK_STR(got, "of acontents");
    struct iovec v = {"vm", 2};
    CHECK_EQ(vmsplice(fds[1], &v, 1, 0), 2);
    CHECK_EQ(read(fds[0], got, 31), 2);
    off_t a = 0, b = 20;
    CHECK_EQ(copy_file_range(from, &a, to, &b, 5, 0), 5);
    CHECK_EQ(lseek(to, 0, SEEK_END), 25);
    close(from);
    close(to);
}

TEST(waiting_for_descriptors)
{
    int fds[2], e = epoll_create1(EPOLL_CLOEXEC), counter = eventfd(3, EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x1122334455667788}, got[4];
    u64 n;
    REQUIRE(pipe(fds) == 0);
    CHECK_EQ(epoll_ctl(e, EPOLL_CTL_ADD, fds[0], &event), 0);
    FAILS(epoll_ctl(e, EPOLL_CTL_ADD, fds[0], &event), EEXIST);
    CHECK_EQ(epoll_wait(e, got, 4, 0), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(epoll_wait(e, got, 4, 1000), 1);
    CHECK_EQ(got[0].data.u64, 0x1122334455667788);
    CHECK_EQ(read(counter, &n, 8), 8);
    CHECK_EQ(n, 3);
    FAILS(read(counter, &n, 8), EAGAIN);
    struct pollfd p[3] = {{fds[0], POLLIN, 0}, {counter, POLLIN | POLLOUT, 0}, {5000, POLLIN, 0}};
    CHECK_EQ(poll(p, 3, 1000), 3);
    CHECK(p[0].revents == POLLIN && p[1].revents == POLLOUT && p[2].revents == POLLNVAL);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    struct timeval soon = {0, 1000};
    CHECK_EQ(select(fds[0] + 1, &set, NULL, NULL, &soon), 1);
    FAILS(epoll_wait(e, got, 0, 0), EINVAL);
    close(e);
    FAILS(epoll_wait(e, got, 4, 0), EBADF);
}

TEST(changes_are_told)
{
    char buffer[4096] __attribute__((aligned(8)));
    box();
    int fd = inotify_init1(IN_NONBLOCK);
    CHECK(inotify_add_watch(fd, ".", IN_CREATE | IN_DELETE) > 0);
    close(fresh("told", ""));
    unlink("told");
    ssize_t n = read(fd, buffer, sizeof(buffer));
    struct inotify_event *e = (void *)buffer;
    CHECK(n > 0 && e->mask == IN_CREATE && !strcmp(e->name, "told"));
    close(fd);
}

TEST(files_without_names)
{
    int fd = memfd_create("lh", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    REQUIRE(fd >= 0);
    CHECK_EQ(ftruncate(fd, 2 * PAGE), 0);
    u8 *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    at[PAGE] = 5;
    u8 byte = 0;
    CHECK_EQ(pread(fd, &byte, 1, PAGE), 1);
    CHECK_EQ(byte, 5);
    munmap(at, 2 * PAGE);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    FAILS(write(fd, "x", 1), EPERM);
    close(fd);
}

TEST(messages_between_processes)
{
    int pair[2];
    char got[8] = "";
    struct ucred who;
    socklen_t n = sizeof(who);
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &who, &n), 0);
    CHECK_EQ(who.pid, getpid());
    pid_t child = fork();
    if (!child) {
        _exit(send(pair[1], "one", 3, 0) != 3 || send(pair[1], "two!", 4, 0) != 4);
    }
    CHECK_EQ(recv(pair[0], got, 2, MSG_TRUNC), 3);
    CHECK_EQ(recv(pair[0], got, 8, 0), 4);
    CHECK(!memcmp(got, "two!", 4));
    waitpid(child, NULL, 0);
    FAILS(recv(pair[0], got, 8, MSG_DONTWAIT), EAGAIN);
    close(pair[1]);
    FAILS(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    close(pair[0]);
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "socket"};
    box();
    int s = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
    FAILS(connect(c, (struct sockaddr *)&a, sizeof(a)), ECONNREFUSED);
    CHECK_EQ(listen(s, 4), 0);
    CHECK_EQ(connect(c, (struct sockaddr *)&a, sizeof(a)), 0);
    int there = accept4(s, NULL, NULL, SOCK_CLOEXEC);
    CHECK_EQ(write(there, "hello", 5), 5);
    CHECK_EQ(recv(c, got, 8, MSG_PEEK), 5);
    CHECK_EQ(shutdown(there, SHUT_WR), 0);
    CHECK_EQ(recv(c, got, 8, 0), 5);
    CHECK_EQ(recv(c, got, 8, 0), 0);
    unlink("socket");
}

TEST(what_this_process_is_said_to_have)
{
    char line[256], link[64], path[256];
    int n_maps = 0, fd = fresh("mine", "");
    FILE *f = fopen("/proc/self/maps", "r");
    REQUIRE(f);
    while (fgets(line, sizeof(line), f)) {
        unsigned long long start, end;
        n_maps +=
            sscanf(line, "%llx-%llx", &start, &end) == 2 && (u64)line >= start && (u64)line < end;
    }
    fclose(f);
    CHECK_EQ(n_maps, 1); // the stack that this is on
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = 0;
    CHECK(strstr(path, "/mine"));
    CHECK_EQ(access("/proc/self/status", R_OK), 0);
    CHECK_EQ(readlink("/proc/self/cwd", path, sizeof(path)), (ssize_t)strlen(box()));
    CHECK_EQ(readlink("/proc/self", path, sizeof(path)) > 0 && atoi(path) == getpid(), 1);
    close(fd);
}

TEST(the_box_is_removed)
{
    static const char *const names[] = {"a",    "v",    "said", "masked", "dup",
                                        "lock", "from", "to",   "mine"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unlink(names[i]);
    CHECK_EQ(chdir("/"), 0);
    CHECK_EQ(rmdir(box()), 0);
}
