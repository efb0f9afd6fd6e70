// SPDX-License-Identifier: Apache-2.0
// The stdio console in a child process of its own: on pipes, and on a pseudo terminal whose
// settings the test looks at from the master's side.
#include "host/console/console.h"
#include "host/console/terminal.h"
#include "base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

// What the child does: echoes its input in upper case, answers a break with "BREAK", and ends with
// status 7 when the user quits, 8 when it gets a 'Q'. An 'A' aborts; after a 'D' it reads no
// more; between an 'S' and a '!' it reads slowly and tells a sum.
struct echo {
    struct console *c;
    bool is_deaf, is_summing, is_over;
    u32 n_summed, sum;
    int status;
};

static void echo_sum(struct echo *m)
{
    u8 c;
    char text[80];
    for (int i = 0; i < 64 && m->is_summing && console_read(m->c, &c, 1); i++) {
        m->is_summing = c != '!';
        m->sum = m->is_summing ? m->sum * 31 + c : m->sum;
        m->n_summed += m->is_summing;
    }
    if (!m->is_summing) {
        snprintf(text, sizeof(text), "%u bytes, sum %08x.", m->n_summed, m->sum);
        console_write(m->c, text, strlen(text));
    }
}

static void echo_input(void *opaque)
{
    struct echo *m = opaque;
    if (m->is_summing)
        return;
    char buf[64];
    size_t n = m->is_deaf ? 0 : console_read(m->c, buf, sizeof(buf));
    for (size_t i = 0; i < n; i++) {
        if (buf[i] == 'Q') {
            m->is_over = true;
            m->status = 8;
        }
        if (buf[i] == 'A')
            abort();
        m->is_deaf |= buf[i] == 'D';
        m->is_summing |= buf[i] == 'S';
        if (buf[i] >= 'a' && buf[i] <= 'z')
            buf[i] += 'A' - 'a';
    }
    console_write(m->c, buf, n);
}

static void echo_break(void *opaque)
{
    struct echo *m = opaque;
    console_write(m->c, "BREAK", 5);
}

static bool echo_key(void *opaque, char key)
{
    struct echo *m = opaque;
    if (key != 'x')
        return false;
    m->is_over = true;
    m->status = 7;
    return true;
}

static int run_echo(const char *text)
{
    struct loop l;
    struct err e = {0};
    struct echo m = {0};
    if (!loop_init(&l, &e) || !(m.c = console_open(text, &l, &e))) {
        fprintf(stderr, "%s\n", e.text);
        return 99;
    }
    const struct console_keys keys = {.pressed = echo_key, .opaque = &m};
    const struct console_front front = {
        .readable = echo_input, .line_break = echo_break, .opaque = &m};
    console_set_keys(m.c, &keys);
    console_attach(m.c, &front);
    console_write(m.c, "ready\n", 6);
    while (!m.is_over) {
        loop_run(&l, m.is_summing ? 10000 : 10 * NS_PER_SEC);
        if (m.is_summing)
            echo_sum(&m);
    }
    console_close(m.c);
    loop_free(&l);
    return m.status;
}

// Reads until `want` was seen, or five seconds have passed.
static bool expect(int fd, const char *want)
{
    char got[4096] = "";
    size_t n = 0;
    while (!strstr(got, want)) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t now = poll(&p, 1, 5000) > 0 ? read(fd, got + n, sizeof(got) - 1 - n) : -1;
        if (now <= 0) {
            printf("# wanted '%s', got '%s'\n", want, got);
            return false;
        }
        n += (size_t)now;
        got[n] = 0;
    }
    return true;
}

static void send_text(int fd, const char *text)
{
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
}

struct piped {
    pid_t pid;
    int in, out;
};

static struct piped start_piped(const char *text)
{
    int in[2], out[2];
    CHECK(!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC));
    struct piped p = {.in = in[1], .out = out[0]};
    fflush(stdout);
    p.pid = fork();
    if (!p.pid) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        _exit(run_echo(text));
    }
    close(in[0]);
    close(out[1]);
    return p;
}

static int end_status(pid_t pid)
{
    int status = -1;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return status;
}

TEST(pipes_need_no_terminal)
{
    struct piped p = start_piped("stdio");
    CHECK(expect(p.out, "ready"));
    send_text(p.in, "abc\1bde\1\1Q");
    CHECK(expect(p.out, "BREAKABCDE\1Q"));
    CHECK_EQ(WEXITSTATUS(end_status(p.pid)), 8);
    close(p.in);
    close(p.out);
}

TEST(the_escape_key_can_be_turned_off)
{
    struct piped p = start_piped("stdio,escape=off");
    send_text(p.in, "\1xQ");
    CHECK(expect(p.out, "\1XQ"));
    CHECK_EQ(WEXITSTATUS(end_status(p.pid)), 8);
    close(p.in);
    close(p.out);
}

TEST(keys_help_and_quit)
{
    struct piped p = start_piped("stdio");
    send_text(p.in, "\1h");
    CHECK(expect(p.out, "Ctrl-a x  quit"));
    send_text(p.in, "\1c");
    CHECK(expect(p.out, "not available"));
    send_text(p.in, "\1s");
    CHECK(expect(p.out, "no such key; Ctrl-a h lists them"));
    send_text(p.in, "\1x");
    CHECK_EQ(WEXITSTATUS(end_status(p.pid)), 7);
    close(p.in);
    close(p.out);
}

// End of input is no end of the machine, and a reader that leaves is none either.
TEST(closed_ends)
{
    struct piped p = start_piped("stdio");
    send_text(p.in, "abc");
    close(p.in);
    CHECK(expect(p.out, "ABC"));
    usleep(20000);
    CHECK_EQ(waitpid(p.pid, NULL, WNOHANG), 0);
    kill(p.pid, SIGKILL);
    end_status(p.pid);
    close(p.out);

    p = start_piped("stdio");
    CHECK(expect(p.out, "ready"));
    close(p.out);
    send_text(p.in, "abc");
    usleep(20000);
    send_text(p.in, "Q");
    CHECK_EQ(end_status(p.pid), 8 << 8);
    close(p.in);
}

TEST(dev_null_as_input_does_not_spin)
{
    fflush(stdout);
    int out[2];
    CHECK(!pipe2(out, O_CLOEXEC));
    pid_t pid = fork();
    if (!pid) {
        dup2(open("/dev/null", O_RDWR | O_CLOEXEC), 0);
        dup2(out[1], 1);
        _exit(run_echo("stdio"));
    }
    CHECK(expect(out[0], "ready"));
    usleep(200000);
    kill(pid, SIGKILL);
    struct rusage usage;
    CHECK_EQ(wait4(pid, NULL, 0, &usage), pid);
    CHECK(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec == 0);
    CHECK(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec < 100000);
    close(out[0]);
    close(out[1]);
}

TEST(only_one_stdio)
{
    struct loop l;
    struct err e = {0};
    CHECK(loop_init(&l, &e));
    fflush(stdout);
    struct console *c = console_open("stdio", &l, &e);
    CHECK(c);
    CHECK(!console_open("stdio", &l, &e));
    CHECK_STR(e.text, "console 'stdio': standard input and output serve another console already");
    console_close(c);
    c = console_open("stdio", &l, &e);
    CHECK(c);
    console_close(c);
    loop_free(&l);
}

// A shell in small: the leader of a session on a new terminal, with the child as the foreground
// job, so that stopping and continuing work as they do for users.
struct job {
    int master, control, report;
    pid_t shell;
};

// What the kernel says of the job: its state and the signals that it has, blocks and handles.
static void tell_state(pid_t pid, int number)
{
    char path[64], line[256];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    fprintf(stderr, "# the job does not change its state after signal %d:\n", number);
    while (f && fgets(line, sizeof(line), f))
        if (!strncmp(line, "State", 5) || !strncmp(line, "Sig", 3) || !strncmp(line, "ShdPnd", 6))
            fprintf(stderr, "# %s", line);
    if (f)
        fclose(f);
}

// Not SIGSEGV and SIGBUS: the address sanitizer has handlers for these.
static const int ending_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGILL};

// A job that does not change its state within some seconds is told of and ended: -1.
static int wait_for_change(pid_t pid, int number)
{
    int status;
    for (unsigned n = 0; n < 450; n++) {
        pid_t found = waitpid(pid, &status, WNOHANG | WUNTRACED | WCONTINUED);
        if (found)
            return found == pid ? status : -1;
        usleep(10000);
    }
    tell_state(pid, number);
    return -1;
}

// Commands on `control` are signal numbers for the job; `report` answers with wait statuses.
static void shell_main(int control, int report)
{
    signal(SIGTTOU, SIG_IGN);
    pid_t pid = fork();
    if (!pid) {
        setpgid(0, 0);
        tcsetpgrp(0, getpid());
        // Tests that run in the background have inherited that these are ignored.
        for (size_t i = 0; i < ARRAY_LEN(ending_signals); i++)
            signal(ending_signals[i], SIG_DFL);
        signal(SIGTTOU, SIG_DFL);
        exit(run_echo("stdio"));
    }
    int number, status;
    while (read(control, &number, sizeof(number)) == sizeof(number)) {
        if (number == SIGCONT)
            tcsetpgrp(0, pid);
        if (number)
            kill(pid, number);
        status = wait_for_change(pid, number);
        if (write(report, &status, sizeof(status)) != sizeof(status) || status == -1)
            break;
    }
    kill(pid, SIGKILL);
    _exit(0);
}

static struct job start_job(void)
{
    struct job j;
    int control[2], report[2];
    CHECK(!pipe2(control, O_CLOEXEC) && !pipe2(report, O_CLOEXEC));
    fflush(stdout);
    j.shell = forkpty(&j.master, NULL, NULL, NULL);
    if (!j.shell) {
        close(control[1]);
        shell_main(control[0], report[1]);
    }
    close(control[0]);
    close(report[1]);
    j.control = control[1];
    j.report = report[0];
    CHECK(expect(j.master, "ready"));
    return j;
}

// Sends the job a signal (0: none) and returns how its state changed.
static int job_signal(struct job *j, int number)
{
    int status = -1;
    struct pollfd p = {.fd = j->report, .events = POLLIN};
    CHECK_EQ(write(j->control, &number, sizeof(number)), sizeof(number));
    if (CHECK(poll(&p, 1, 5000) > 0))
        CHECK_EQ(read(j->report, &status, sizeof(status)), sizeof(status));
    return status;
}

static void job_end(struct job *j)
{
    close(j->control);
    close(j->report);
    CHECK_EQ(waitpid(j->shell, NULL, 0), j->shell);
    close(j->master);
}

static bool is_raw(struct job *j)
{
    struct termios t;
    CHECK(!tcgetattr(j->master, &t));
    bool no_lines = !(t.c_lflag & ICANON), no_echo = !(t.c_lflag & ECHO);
    bool no_signals = !(t.c_lflag & ISIG), no_flow = !(t.c_iflag & IXON);
    CHECK(no_lines == no_echo && no_lines == no_signals && no_lines == no_flow);
    CHECK(t.c_oflag & OPOST);
    return no_lines;
}

TEST(the_terminal_is_raw_and_restored_when_the_user_quits)
{
    struct job j = start_job();
    CHECK(is_raw(&j));
    send_text(j.master, "ab\3\4");
    CHECK(expect(j.master, "AB\3\4"));
    send_text(j.master, "\1x");
    int status = job_signal(&j, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CHECK(!is_raw(&j));
    job_end(&j);
}

TEST(the_terminal_is_restored_by_signals_that_end_the_program)
{
    for (size_t i = 0; i < ARRAY_LEN(ending_signals); i++) {
        struct job j = start_job();
        CHECK(is_raw(&j));
        int status = job_signal(&j, ending_signals[i]);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == ending_signals[i]);
        CHECK(!is_raw(&j));
        job_end(&j);
    }
}

TEST(the_terminal_is_restored_by_abort)
{
    struct job j = start_job();
    send_text(j.master, "A");
    int status = job_signal(&j, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(!is_raw(&j));
    job_end(&j);
}

TEST(the_terminal_is_restored_while_the_program_is_stopped)
{
    struct job j = start_job();
    for (int round = 0; round < 2; round++) {
        CHECK(is_raw(&j));
        int status = job_signal(&j, SIGTSTP);
        CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
        CHECK(!is_raw(&j));
        CHECK(WIFCONTINUED(job_signal(&j, SIGCONT)));
        send_text(j.master, "x");
        CHECK(expect(j.master, "X"));
    }
    // Nothing can be done before SIGSTOP, but a shell's settings do not survive SIGCONT.
    CHECK(WIFSTOPPED(job_signal(&j, SIGSTOP)));
    struct termios t;
    CHECK(!tcgetattr(j.master, &t));
    t.c_lflag |= ICANON | ECHO | ISIG;
    t.c_iflag |= IXON;
    CHECK(!tcsetattr(j.master, TCSANOW, &t));
    CHECK(WIFCONTINUED(job_signal(&j, SIGCONT)));
    send_text(j.master, "y");
    CHECK(expect(j.master, "Y"));
    CHECK(is_raw(&j));
    job_signal(&j, SIGTERM);
    CHECK(!is_raw(&j));
    job_end(&j);
}

// A paste that comes much faster than the machine reads: nothing is lost.
TEST(a_paste_on_a_terminal_is_complete)
{
    struct job j = start_job();
    char block[257] = "", want[80];
    u32 sum = 0;
    send_text(j.master, "S");
    CHECK(expect(j.master, "S"));
    for (unsigned i = 0; i < 800; i++) {
        for (unsigned k = 0; k < 256; k++)
            block[k] = (char)('a' + (i * 7 + k) % 26);
        for (unsigned k = 0; k < 256; k++)
            sum = sum * 31 + (u8)block[k];
        send_text(j.master, block);
    }
    send_text(j.master, "!");
    snprintf(want, sizeof(want), "%u bytes, sum %08x.", 800 * 256, sum);
    CHECK(expect(j.master, want));
    send_text(j.master, "Q");
    CHECK_EQ(job_signal(&j, 0), 8 << 8);
    job_end(&j);
}

// Keys work also while the machine takes no input at all.
TEST(quit_works_with_a_full_buffer)
{
    struct job j = start_job();
    char block[257] = "";
    memset(block, 'z', sizeof(block) - 1);
    send_text(j.master, "D");
    for (int i = 0; i < 5000; i++)
        send_text(j.master, block);
    send_text(j.master, "\1x");
    int status = job_signal(&j, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    job_end(&j);
}
