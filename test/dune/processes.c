// SPDX-License-Identifier: Apache-2.0
// Processes and programs as a program sees them; passes on the host too. Executed with arguments it
// is the program that the tests execute.
#include "base/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *own_file(void)
{
    static char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = 0;
    return path;
}

// What `argv` printed on standard output, and its status.
static int run(char *out, size_t size, const char *file, char *const argv[])
{
    int fds[2], status = -1;
    size_t n = 0;
    ssize_t got;
    if (pipe(fds))
        return -1;
    pid_t child = fork();
    if (!child) {
        dup2(fds[1], 1);
        close(fds[0]);
        close(fds[1]);
        execv(file, argv);
        _exit(errno);
    }
    close(fds[1]);
    while ((got = read(fds[0], out + n, size - 1 - n)) > 0)
        n += (size_t)got;
    out[n] = 0;
    close(fds[0]);
    waitpid(child, &status, 0);
    return status;
}

__attribute__((constructor)) static void be_child(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--child"))
        return;
    for (int i = 0; i < argc; i++)
        printf("[%s]", argv[i]);
    printf("%s", getenv("MARK") ? getenv("MARK") : "");
    exit(argc > 2 ? atoi(argv[2]) : 0);
}

TEST(a_program_is_executed_with_its_arguments)
{
    char out[1000];
    int status = run(out, sizeof(out), own_file(), (char *[]){"zero", "--child", "7", "", NULL});
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CHECK_STR(out, "[zero][--child][7][]");
}

TEST(the_environment_is_what_is_given)
{
    setenv("MARK", "here", 1);
    setenv("LD_LIBRARY_PATH", "/nonexistent", 1);
    char out[1000];
    run(out, sizeof(out), own_file(), (char *[]){"a", "--child", NULL});
    CHECK_STR(out, "[a][--child]here");
    unsetenv("MARK");
    unsetenv("LD_LIBRARY_PATH");
}

static void script(const char *name, const char *text, int mode)
{
    FILE *f = fopen(name, "w");
    fputs(text, f);
    fclose(f);
    chmod(name, mode);
}

TEST(scripts_are_executed)
{
    char line[5000], out[1000], name[] = "/tmp/lh-script-XXXXXX";
    close(mkstemp(name));
    snprintf(line, sizeof(line), "#! %s --child \n", own_file());
    script(name, line, 0755);
    int status = run(out, sizeof(out), name, (char *[]){"lost", "more", NULL});
    CHECK_EQ(status, 0);
    char expected[9000];
    snprintf(expected, sizeof(expected), "[%s][--child][%s][more]", own_file(), name);
    CHECK_STR(out, expected);
    unlink(name);
}

TEST(what_cannot_be_executed)
{
    char out[100], name[] = "/tmp/lh-script-XXXXXX";
    close(mkstemp(name));
    script(name, "neither", 0755);
    CHECK_EQ(WEXITSTATUS(run(out, 100, name, (char *[]){"a", NULL})), ENOEXEC);
    script(name, "#!/nonexistent\n", 0755);
    CHECK_EQ(WEXITSTATUS(run(out, 100, name, (char *[]){"a", NULL})), ENOENT);
    chmod(name, 0644);
    CHECK_EQ(WEXITSTATUS(run(out, 100, name, (char *[]){"a", NULL})), EACCES);
    unlink(name);
    CHECK_EQ(WEXITSTATUS(run(out, 100, name, (char *[]){"a", NULL})), ENOENT);
    CHECK_EQ(WEXITSTATUS(run(out, 100, "/tmp", (char *[]){"a", NULL})), EACCES);
}

TEST(vfork_and_spawn)
{
    int status;
    volatile int mark = 0;
    pid_t child = vfork();
    if (!child) {
        mark = 5;
        _exit(6);
    }
    CHECK_EQ(mark, 5);
    waitpid(child, &status, 0);
    CHECK_EQ(WEXITSTATUS(status), 6);
    for (int i = 0; i < 20; i++) {
        REQUIRE(posix_spawn(&child, "/bin/true", NULL, NULL, (char *[]){"true", NULL}, environ) ==
                0);
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
    }
    CHECK_EQ(posix_spawn(&child, "/nonexistent", NULL, NULL, (char *[]){"x", NULL}, environ),
             ENOENT);
}

TEST(many_forks)
{
    for (int i = 0; i < 50; i++) {
        int status;
        pid_t child = fork();
        if (!child)
            _exit(i);
        waitpid(child, &status, 0);
        if (!CHECK_EQ(WEXITSTATUS(status), i))
            return;
    }
}

static void fork_tree(int depth)
{
    for (int i = 0; i < 2 && depth; i++) {
        pid_t child = fork();
        if (!child) {
            fork_tree(depth - 1);
            int status;
            while (wait(&status) > 0)
                if (status)
                    _exit(1);
            _exit(0);
        }
    }
}

TEST(a_tree_of_processes)
{
    int status, n = 0;
    fork_tree(4);
    while (wait(&status) > 0) {
        n++;
        CHECK_EQ(status, 0);
    }
    CHECK_EQ(n, 2);
}

TEST(descriptors_that_are_not_ours_are_not_seen)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.' && atoi(e->d_name) > 1000)
            n++;
    CHECK_EQ(n, 0);
    closedir(d);
    for (int fd = 3; fd < 20000; fd++)
        close(fd);
    pid_t child = fork();
    int status;
    if (!child)
        _exit(11);
    waitpid(child, &status, 0);
    CHECK_EQ(WEXITSTATUS(status), 11);
    CHECK_EQ(syscall(436, 3, ~0u, 0), 0); // close_range
    child = fork();
    if (!child)
        _exit(12);
    waitpid(child, &status, 0);
    CHECK_EQ(WEXITSTATUS(status), 12);
}

TEST(limits_of_open_files)
{
    struct rlimit l, saved;
    getrlimit(RLIMIT_NOFILE, &saved);
    l = saved;
    l.rlim_cur = 20;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &l), 0);
    int n = 0;
    while (dup(0) >= 0 && n < 1000)
        n++;
    CHECK_EQ(errno, EMFILE);
    CHECK(n < 20);
    pid_t child = fork();
    int status;
    if (!child)
        _exit(13);
    waitpid(child, &status, 0);
    CHECK_EQ(WEXITSTATUS(status), 13);
    for (int fd = 3; fd < 20; fd++)
        close(fd);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &saved), 0);
    getrlimit(RLIMIT_NOFILE, &l);
    CHECK_EQ(l.rlim_cur, saved.rlim_cur);
}

TEST(descriptors_are_sent)
{
    int pair[2], fds[2], got = -1;
    char data = 'x', control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec iov = {&data, 1};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof(control)};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(fds) == 0);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(c), fds + 1, sizeof(int));
    CHECK_EQ(sendmsg(pair[0], &m, 0), 1);
    memset(control, 0, sizeof(control));
    m.msg_controllen = sizeof(control);
    CHECK_EQ(recvmsg(pair[1], &m, 0), 1);
    memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
    CHECK_EQ(write(got, "y", 1), 1);
    CHECK_EQ(read(fds[0], &data, 1), 1);
    CHECK_EQ(data, 'y');
}

TEST(a_process_is_told_who_it_is)
{
    char text[4096] = "";
    FILE *f = fopen("/proc/self/comm", "r");
    CHECK(f && fgets(text, sizeof(text), f));
    CHECK(!strncmp(text, "processes", 9));
    fclose(f);
    CHECK(strstr(own_file(), "processes"));
    int fd = open("/proc/self/cmdline", O_RDONLY);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    CHECK(n > 0 && strstr(text, "processes"));
    close(fd);
}
