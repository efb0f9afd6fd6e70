// SPDX-License-Identifier: Apache-2.0
#include "vmm/signals.h"
#include "host/console/terminal.h"

#include <signal.h>

static const int handled[] = {SIGINT, SIGTERM, SIGHUP};

static struct {
    struct loop *loop;
    volatile sig_atomic_t seen, hurry;
    volatile pid_t sender;
} state;

static void on_signal(int number, siginfo_t *info, void *context)
{
    if (state.seen && state.hurry) {
        terminal_restore();
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    if (!state.seen) {
        state.sender = info->si_code <= 0 ? info->si_pid : 0;
        state.seen = number;
    }
    loop_wake(state.loop);
}

void signals_install(struct loop *wake)
{
    state.loop = wake;
    state.seen = 0;
    // Without SA_RESTART: a system call that waits for somebody has to end.
    struct sigaction now, ours = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    for (size_t i = 0; i < ARRAY_LEN(handled); i++)
        if (!sigaction(handled[i], NULL, &now) && now.sa_handler != SIG_IGN)
            sigaction(handled[i], &ours, NULL);
}

void signals_set_hurry(bool hurry)
{
    state.hurry = hurry;
}

void signals_remove(void)
{
    struct sigaction now;
    for (size_t i = 0; i < ARRAY_LEN(handled); i++)
        if (!sigaction(handled[i], NULL, &now) && now.sa_sigaction == on_signal)
            signal(handled[i], SIG_DFL);
}

int signals_seen(pid_t *sender)
{
    if (sender)
        *sender = state.sender;
    return state.seen;
}
