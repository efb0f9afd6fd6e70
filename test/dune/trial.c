// SPDX-License-Identifier: Apache-2.0
#include "test/dune/trial.h"

#include <setjmp.h>
#include <string.h>

static __thread sigjmp_buf back;
static __thread struct trial seen;

static void note(int signal, siginfo_t *info, void *context)
{
    seen = (struct trial){signal, info->si_code, info->si_addr};
    siglongjmp(back, 1);
}

struct trial trial_of(void (*act)(void *), void *opaque)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    struct sigaction old[ARRAY_LEN(signals)], a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    memset(&seen, 0, sizeof(seen));
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        sigaction(signals[i], &a, old + i);
    if (!sigsetjmp(back, 1))
        act(opaque);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        sigaction(signals[i], old + i, NULL);
    return seen;
}

static void read_byte(void *at)
{
    (void)*(volatile u8 *)at;
}

static void write_byte(void *at)
{
    *(volatile u8 *)at = 1;
}

static void call(void *at)
{
    ((void (*)(void))at)();
}

struct trial trial_read(volatile u8 *at)
{
    return trial_of(read_byte, (void *)at);
}

struct trial trial_write(volatile u8 *at)
{
    return trial_of(write_byte, (void *)at);
}

struct trial trial_call(const void *code)
{
    return trial_of(call, (void *)code);
}
