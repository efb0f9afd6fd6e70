// SPDX-License-Identifier: Apache-2.0
#include "host/console/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int ending_signals[] = {SIGHUP, SIGINT,  SIGQUIT, SIGTERM, SIGILL,  SIGABRT, SIGFPE,
                                     SIGBUS, SIGSEGV, SIGSYS,  SIGXCPU, SIGXFSZ, SIGTRAP};

static struct {
    bool is_taken, has_exit_handler;
    int fd; // -1: not a terminal
    struct termios cooked, raw;
    volatile sig_atomic_t is_raw;
} terminal = {.fd = -1};

// A program in the background must leave the terminal alone (and would be stopped if it did not).
static bool is_foreground(void)
{
    pid_t group = tcgetpgrp(terminal.fd);
    return group < 0 || group == getpgrp();
}

static void set(const struct termios *mode, bool is_raw)
{
    int saved = errno;
    if (is_foreground() && !tcsetattr(terminal.fd, TCSANOW, mode))
        terminal.is_raw = is_raw;
    errno = saved;
}

void terminal_restore(void)
{
    if (terminal.fd >= 0 && terminal.is_raw)
        set(&terminal.cooked, false);
}

bool terminal_is_raw(void)
{
    return terminal.is_raw;
}

static void handle(int signal, void (*handler)(int))
{
    struct sigaction now, wanted = {.sa_handler = handler, .sa_flags = SA_RESTART};
    if (handler != SIG_DFL && (sigaction(signal, NULL, &now) || now.sa_handler != SIG_DFL))
        return;
    sigaction(signal, &wanted, NULL);
}

// Ends the program the way the signal would have, with the old settings back.
static void on_end(int signal)
{
    terminal_restore();
    handle(signal, SIG_DFL);
    raise(signal);
}

static void on_stop(int signal)
{
    int saved = errno;
    terminal_restore();
    handle(SIGTSTP, SIG_DFL);
    sigset_t stop, old;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    raise(SIGTSTP);
    // The signal is blocked while its handler runs: here the program stops, and goes on later.
    pthread_sigmask(SIG_UNBLOCK, &stop, &old);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    handle(SIGTSTP, on_stop);
    errno = saved;
}

static void on_continue(int signal)
{
    // The shell or the user may have changed the settings meanwhile, also after SIGSTOP.
    if (terminal.fd >= 0)
        set(&terminal.raw, true);
}

static void handle_all(bool is_ours)
{
    for (size_t i = 0; i < ARRAY_LEN(ending_signals); i++) {
        struct sigaction now;
        sigaction(ending_signals[i], NULL, &now);
        if (is_ours || now.sa_handler == on_end)
            handle(ending_signals[i], is_ours ? on_end : SIG_DFL);
    }
    handle(SIGTSTP, is_ours ? on_stop : SIG_DFL);
    handle(SIGCONT, is_ours ? on_continue : SIG_DFL);
}

bool terminal_take(int fd, struct err *e)
{
    if (terminal.is_taken)
        return err_set(e, "standard input and output serve another console already");
    terminal.is_taken = true;
    if (!isatty(fd) || tcgetattr(fd, &terminal.cooked) < 0)
        return true;
    terminal.fd = fd;
    terminal.raw = terminal.cooked;
    terminal.raw.c_iflag &=
        ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    terminal.raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
    terminal.raw.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
    terminal.raw.c_cflag |= CS8;
    terminal.raw.c_cc[VMIN] = 1;
    terminal.raw.c_cc[VTIME] = 0;
    if (!terminal.has_exit_handler)
        terminal.has_exit_handler = !atexit(terminal_restore);
    handle_all(true);
    set(&terminal.raw, true);
    return true;
}

void terminal_give(void)
{
    terminal_restore();
    if (terminal.fd >= 0)
        handle_all(false);
    terminal.fd = -1;
    terminal.is_taken = false;
}
