// SPDX-License-Identifier: Apache-2.0
#include "host/console/console.h"
#include "base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    struct loop loop;
    struct console *c;
    char dir[32], path[64], text[128];
    unsigned n_readable, n_writable, n_breaks;
};

static void on_readable(void *opaque)
{
    ((struct fixture *)opaque)->n_readable++;
}

static void on_writable(void *opaque)
{
    ((struct fixture *)opaque)->n_writable++;
}

static void on_break(void *opaque)
{
    ((struct fixture *)opaque)->n_breaks++;
}

static struct fixture *fixture_new(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct err e = {0};
    CHECK(loop_init(&f->loop, &e));
    strcpy(f->dir, "/tmp/console_testXXXXXX");
    CHECK(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/x", f->dir);
    return f;
}

static bool fixture_open(struct fixture *f, const char *format)
{
    struct err e = {0};
    snprintf(f->text, sizeof(f->text), format, f->path);
    f->c = console_open(f->text, &f->loop, &e);
    if (!f->c)
        printf("# %s\n", e.text);
    const struct console_front front = {
        .readable = on_readable, .writable = on_writable, .line_break = on_break, .opaque = f};
    if (f->c)
        console_attach(f->c, &front);
    return CHECK(f->c);
}

static void fixture_free(struct fixture *f)
{
    console_close(f->c);
    loop_free(&f->loop);
    unlink(f->path);
    rmdir(f->dir);
    free(f);
}

static void pump(struct fixture *f)
{
    for (int i = 0; i < 4; i++)
        loop_run(&f->loop, 0);
}

static void expect_file(const char *path, const char *want)
{
    char got[256] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, got, sizeof(got) - 1);
    CHECK(n >= 0);
    CHECK_STR(got, want);
    close(fd);
}

static void expect_fd(int fd, const char *want)
{
    char got[256] = "";
    size_t n = 0;
    for (ssize_t now; (now = read(fd, got + n, sizeof(got) - 1 - n)) > 0;)
        n += (size_t)now;
    CHECK_STR(got, want);
}

static void expect_input(struct fixture *f, const char *want)
{
    char got[256] = "";
    console_read(f->c, got, sizeof(got) - 1);
    CHECK_STR(got, want);
}

static void expect_error(const char *text, const char *want)
{
    struct loop l;
    struct err e = {0};
    REQUIRE(loop_init(&l, &e));
    CHECK(!console_open(text, &l, &e));
    CHECK_STR(e.text, want);
    CHECK(!l.events);
    loop_free(&l);
}

TEST(what_is_wrong_is_said)
{
    expect_error("tty", "console 'tty': no such back end; there are stdio, pty, file, unix, null");
    expect_error("", "console '': no such back end; there are stdio, pty, file, unix, null");
    expect_error("file", "console 'file': no path; it is file:PATH");
    expect_error("file:", "console 'file:': no path; it is file:PATH");
    expect_error("file:/nowhere/x", "console 'file:/nowhere/x': No such file or directory");
    expect_error("file:/dev/null,apend",
                 "console 'file:/dev/null,apend': option 'apend' is not append=on or append=off");
    expect_error("null:x", "console 'null:x': null takes no options");
    expect_error("stdio,x=1", "console 'stdio,x=1': option 'x=1' is not escape=on or escape=off");
    expect_error("unix:/nowhere/x", "console 'unix:/nowhere/x': No such file or directory");
    expect_error("unix:/nowhere/x,server,wait=maybe",
                 "console 'unix:/nowhere/x,server,wait=maybe': option 'wait=maybe' is not server "
                 "or wait=on|off");
    expect_error("pty:/nowhere/x", "console 'pty:/nowhere/x': link: No such file or directory");
}

TEST(every_back_end_is_described)
{
    const char *doc = NULL, *grammar;
    size_t n = 0;
    for (; (grammar = console_grammar(n, &doc)); n++)
        CHECK(strlen(grammar) > 0 && strlen(doc) > 10);
    CHECK_EQ(n, 5);
}

TEST(null_takes_everything_and_gives_nothing)
{
    struct fixture *f = fixture_new();
    REQUIRE(fixture_open(f, "null"));
    CHECK_STR(console_name(f->c), "null");
    for (int i = 0; i < 100000; i++)
        CHECK_EQ(console_write(f->c, "abc", 3), 3);
    CHECK(!console_has_input(f->c));
    CHECK_EQ(f->n_readable + f->n_writable, 0);
    fixture_free(f);
}

TEST(file_is_truncated_or_appended)
{
    struct fixture *f = fixture_new();
    REQUIRE(fixture_open(f, "file:%s"));
    CHECK_EQ(console_write(f->c, "one\n", 4), 4);
    pump(f);
    expect_file(f->path, "one\n");
    console_close(f->c);
    REQUIRE(fixture_open(f, "file:%s,append=on"));
    CHECK_EQ(console_write(f->c, "two\n", 4), 4);
    console_close(f->c); // writes what is buffered
    expect_file(f->path, "one\ntwo\n");
    REQUIRE(fixture_open(f, "file:%s"));
    pump(f);
    expect_file(f->path, "");
    fixture_free(f);
}

TEST(a_double_comma_is_a_comma_in_a_path)
{
    struct fixture *f = fixture_new();
    char path[80];
    snprintf(path, sizeof(path), "%s,y", f->path);
    REQUIRE(fixture_open(f, "file:%s,,y,append=off"));
    struct stat st;
    CHECK(!stat(path, &st));
    unlink(path);
    fixture_free(f);
}

// A named pipe whose reader sleeps: the buffer fills, and room is told once there is some.
TEST(a_full_sink_takes_less_and_tells_when_there_is_room)
{
    struct fixture *f = fixture_new();
    CHECK(!mkfifo(f->path, 0600));
    int reader = open(f->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    REQUIRE(fixture_open(f, "file:%s"));
    static char block[4096], got[65536];
    memset(block, 'x', sizeof(block));
    size_t n_taken = 0, n;
    do {
        n = console_write(f->c, block, sizeof(block));
        n_taken += n;
        pump(f);
    } while (n == sizeof(block) || f->n_writable);
    CHECK_EQ(console_write(f->c, "y", 1), 0);
    CHECK_EQ(f->n_writable, 0);
    size_t n_got = 0;
    for (ssize_t now; (now = read(reader, got, sizeof(got))) > 0; pump(f))
        n_got += (size_t)now;
    CHECK_EQ(n_got, n_taken);
    CHECK_EQ(f->n_writable, 1);
    CHECK_EQ(console_write(f->c, "y", 1), 1);
    close(reader);
    fixture_free(f);
}

// A patient console takes all, however long its reader takes.
TEST(a_patient_console_waits_for_its_sink)
{
    struct fixture *f = fixture_new();
    CHECK(!mkfifo(f->path, 0600));
    int reader = open(f->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    REQUIRE(fixture_open(f, "file:%s"));
    console_set_patient(f->c);
    enum { N = 50, SIZE = 4096 };
    pid_t child = fork();
    if (!child) {
        static char got[65536];
        size_t n_got = 0;
        fcntl(reader, F_SETFL, 0);
        while (n_got < N * SIZE) {
            usleep(1000);
            n_got += (size_t)read(reader, got, sizeof(got));
        }
        _exit(n_got != N * SIZE);
    }
    static char block[SIZE];
    for (int i = 0; i < N; i++)
        CHECK_EQ(console_write(f->c, block, SIZE), SIZE);
    pump(f);
    CHECK_EQ(f->n_writable, 0);
    console_close(f->c);
    f->c = NULL;
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    close(reader);
    fixture_free(f);
}

static int listen_at(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(!bind(fd, (struct sockaddr *)&a, sizeof(a)) && !listen(fd, 1));
    return fd;
}

static int connect_to(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(!connect(fd, (struct sockaddr *)&a, sizeof(a)));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

TEST(a_client_socket)
{
    struct fixture *f = fixture_new();
    int listener = listen_at(f->path);
    REQUIRE(fixture_open(f, "unix:%s"));
    int peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK_EQ(console_write(f->c, "out", 3), 3);
    CHECK_EQ(write(peer, "in", 2), 2);
    pump(f);
    expect_fd(peer, "out");
    CHECK_EQ(f->n_readable, 1);
    expect_input(f, "in");
    // Gone: output is dropped, and nothing spins or dies.
    close(peer);
    pump(f);
    CHECK_EQ(console_write(f->c, "late", 4), 4);
    pump(f);
    close(listener);
    fixture_free(f);
}

TEST(a_server_takes_one_client_after_the_other)
{
    struct fixture *f = fixture_new();
    REQUIRE(fixture_open(f, "unix:%s,server,wait=off"));
    CHECK_EQ(console_write(f->c, "unheard", 7), 7);
    int a = connect_to(f->path);
    pump(f);
    CHECK_EQ(console_write(f->c, "to a", 4), 4);
    CHECK_EQ(write(a, "from a", 6), 6);
    pump(f);
    expect_fd(a, "to a");
    expect_input(f, "from a");
    int b = connect_to(f->path); // waits for its turn
    pump(f);
    CHECK_EQ(console_write(f->c, "still a", 7), 7);
    pump(f);
    expect_fd(a, "still a");
    expect_fd(b, "");
    close(a);
    pump(f);
    CHECK_EQ(console_write(f->c, "to b", 4), 4);
    pump(f);
    expect_fd(b, "to b");
    close(b);
    fixture_free(f);
}

TEST(a_client_that_sends_no_more_still_gets_output)
{
    struct fixture *f = fixture_new();
    REQUIRE(fixture_open(f, "unix:%s,server,wait=off"));
    int a = connect_to(f->path);
    CHECK_EQ(write(a, "in", 2), 2);
    shutdown(a, SHUT_WR);
    pump(f);
    expect_input(f, "in");
    CHECK_EQ(console_write(f->c, "out", 3), 3);
    pump(f);
    expect_fd(a, "out");
    close(a);
    CHECK_EQ(console_write(f->c, "x", 1), 1);
    pump(f);
    int b = connect_to(f->path);
    pump(f);
    CHECK_EQ(console_write(f->c, "to b", 4), 4);
    pump(f);
    expect_fd(b, "to b");
    close(b);
    fixture_free(f);
}

TEST(a_server_waits_for_its_first_client)
{
    struct fixture *f = fixture_new();
    pid_t child = fork();
    if (!child) {
        struct stat st;
        for (int i = 0; i < 1000 && stat(f->path, &st); i++)
            usleep(5000);
        int fd = connect_to(f->path);
        _exit(write(fd, "hello", 5) != 5 || usleep(100000));
    }
    REQUIRE(fixture_open(f, "unix:%s,server"));
    for (int i = 0; i < 100 && !console_has_input(f->c); i++)
        loop_run(&f->loop, 50000000);
    expect_input(f, "hello");
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    fixture_free(f);
}

TEST(a_server_replaces_a_stale_socket_but_nothing_else)
{
    struct fixture *f = fixture_new();
    struct err e = {0};
    close(listen_at(f->path));
    REQUIRE(fixture_open(f, "unix:%s,server,wait=off"));
    CHECK(!console_open(f->text, &f->loop, &e));
    CHECK(strstr(e.text, "Address already in use"));
    console_close(f->c);
    struct stat st;
    CHECK(stat(f->path, &st) < 0 && errno == ENOENT);
    close(open(f->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    CHECK(!console_open(f->text, &f->loop, &e));
    CHECK(!stat(f->path, &st) && S_ISREG(st.st_mode));
    f->c = NULL;
    fixture_free(f);
}

TEST(input_waits_while_the_machine_has_no_room)
{
    struct fixture *f = fixture_new();
    REQUIRE(fixture_open(f, "unix:%s,server,wait=off"));
    int a = connect_to(f->path);
    pump(f);
    static char sent[300000];
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (char)(i % 251);
    size_t n_sent = 0, n_got = 0;
    bool is_right = true;
    while (n_got < sizeof(sent)) {
        ssize_t n = write(a, sent + n_sent, sizeof(sent) - n_sent);
        n_sent += n > 0 ? (size_t)n : 0;
        pump(f);
        char got[7];
        n = (ssize_t)console_read(f->c, got, sizeof(got));
        is_right &= n && !memcmp(got, sent + n_got, (size_t)n);
        n_got += (size_t)n;
        if (!is_right)
            break;
    }
    CHECK(is_right);
    CHECK_EQ(n_got, sizeof(sent));
    close(a);
    fixture_free(f);
}

static void monitor_readable(void *opaque)
{
    ++*(unsigned *)opaque;
}

TEST(a_diverted_console_feeds_the_monitor)
{
    struct fixture *f = fixture_new();
    REQUIRE(fixture_open(f, "unix:%s,server,wait=off"));
    int a = connect_to(f->path);
    pump(f);
    unsigned n_monitor = 0;
    char got[8] = "";
    const struct console_front monitor = {.readable = monitor_readable, .opaque = &n_monitor};
    CHECK_EQ(write(a, "x", 1), 1);
    pump(f);
    CHECK_EQ(f->n_readable, 1);
    console_divert(f->c, &monitor); // what came before stays the machine's
    CHECK_EQ(n_monitor, 0);
    CHECK_EQ(write(a, "yz", 2), 2);
    pump(f);
    CHECK_EQ(n_monitor, 1);
    CHECK_EQ(console_read_diverted(f->c, got, 1), 1);
    CHECK_STR(got, "y");
    console_divert(f->c, NULL);
    expect_input(f, "x");
    CHECK_EQ(write(a, "w", 1), 1);
    pump(f);
    expect_input(f, "w");
    console_divert(f->c, &monitor); // what the monitor left is still its own
    CHECK_EQ(n_monitor, 2);
    CHECK_EQ(console_read_diverted(f->c, got, sizeof(got)), 1);
    CHECK_STR(got, "z");
    close(a);
    fixture_free(f);
}

struct visits {
    unsigned n_opened, n_ended;
};

static void on_opened(void *opaque)
{
    ((struct visits *)opaque)->n_opened++;
}

static void on_ended(void *opaque)
{
    ((struct visits *)opaque)->n_ended++;
}

TEST(a_client_that_ended_stays_until_it_is_let_go)
{
    struct fixture *f = fixture_new();
    struct visits v = {0};
    REQUIRE(fixture_open(f, "unix:%s,server,wait=off"));
    console_attach(f->c, NULL);
    console_attach(f->c,
                   &(struct console_front){.opened = on_opened, .ended = on_ended, .opaque = &v});
    int a = connect_to(f->path), b = connect_to(f->path);
    pump(f);
    CHECK_EQ(v.n_opened, 1);
    CHECK_EQ(write(a, "question", 8), 8);
    CHECK_EQ(shutdown(a, SHUT_WR), 0);
    pump(f);
    CHECK_EQ(v.n_ended, 1);
    CHECK_EQ(v.n_opened, 1);
    expect_input(f, "question");
    CHECK_EQ(console_write(f->c, "answer", 6), 6);
    console_hang_up(f->c);
    pump(f);
    expect_fd(a, "answer");
    CHECK_EQ(v.n_opened, 2);
    CHECK_EQ(write(b, "b", 1), 1);
    pump(f);
    expect_input(f, "b");
    close(b);
    pump(f);
    CHECK_EQ(v.n_ended, 2);
    close(a);
    fixture_free(f);
}

TEST(pty_clients_come_and_go)
{
    struct fixture *f = fixture_new();
    REQUIRE(fixture_open(f, "pty:%s"));
    CHECK(!strncmp(console_name(f->c), "pty:/dev/pts/", 13));
    for (int i = 0; i < 20000; i++)
        CHECK_EQ(console_write(f->c, "dropped\n", 8), 8);
    for (int round = 0; round < 3; round++) {
        int fd = open(f->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        CHECK(fd >= 0);
        pump(f);
        CHECK_EQ(console_write(f->c, "a\nb\1", 4), 4);
        CHECK_EQ(write(fd, "c\rd\3", 4), 4);
        for (int i = 0; i < 20 && !console_has_input(f->c); i++)
            loop_run(&f->loop, 50000000);
        pump(f);
        usleep(1000);
        expect_fd(fd, "a\nb\1"); // neither translated nor echoed
        expect_input(f, "c\rd\3");
        close(fd);
        pump(f);
        CHECK_EQ(console_write(f->c, "dropped", 7), 7);
    }
    console_close(f->c);
    f->c = NULL;
    struct stat st;
    CHECK(lstat(f->path, &st) < 0 && errno == ENOENT);
    fixture_free(f);
}

static void note_output(void *opaque, const void *bytes, size_t n)
{
    strncat(opaque, bytes, n);
}

TEST(nothing_is_touched_before_the_start)
{
    struct fixture *f = fixture_new();
    struct err e = {0};
    snprintf(f->text, sizeof(f->text), "file:%s", f->path);
    struct console *c = console_new(f->text, &f->loop, &e);
    REQUIRE(c);
    CHECK_EQ(console_write(c, "early", 5), 5);
    console_close(c);
    CHECK_EQ(access(f->path, F_OK), -1);
    CHECK((f->c = console_new(f->text, &f->loop, &e)));
    CHECK(console_start(f->c, &e));
    console_write(f->c, "late", 4);
    pump(f);
    expect_file(f->path, "late");
    fixture_free(f);
}

TEST(a_tap_sees_what_is_taken_and_what_nobody_reads)
{
    struct fixture *f = fixture_new();
    char seen[64] = "";
    REQUIRE(fixture_open(f, "null"));
    console_set_tap(f->c, &(struct console_tap){note_output, seen});
    console_write(f->c, "ab", 2);
    console_write(f->c, "c", 1);
    CHECK_STR(seen, "abc");
    fixture_free(f);
}
