// SPDX-License-Identifier: Apache-2.0
// Incremental checkpoints of a running computation: only the pages that were written since the last
// one are copied. The computation is then taken back to a checkpoint and has to come to the same
// end.
#include "dune/examples/clock.h"
#include "dune/examples/page.h"
#include "include/longhouse/dune.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGES = 1024, ROUNDS = 12, PER_STEP = 100 };

static uint8_t *state, *saved;
static uint64_t bits[PAGES / 64];

// A generator of numbers that keeps what it counts in many pages.
static void compute(uint64_t *seed, int steps)
{
    for (int i = 0; i < steps; i++) {
        *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
        state[(*seed >> 32) % (PAGES * PAGE)] += 1;
    }
}

static uint64_t sum(void)
{
    uint64_t s = 0;
    for (int i = 0; i < PAGES * PAGE; i++)
        s = s * 31 + state[i];
    return s;
}

static long save(void)
{
    long n = dune_dirty_collect(bits);
    for (int i = 0; i < PAGES; i++)
        if (bits[i / 64] >> i % 64 & 1)
            memcpy(saved + i * PAGE, state + i * PAGE, PAGE);
    return n;
}

static bool goes_back(void)
{
    uint64_t seed = 1;
    long n_saved = 0;
    compute(&seed, 5000);
    save();
    for (int i = 0; i < 5; i++) {
        compute(&seed, PER_STEP);
        n_saved += save();
    }
    uint64_t seed_then = seed;
    compute(&seed, 5000);
    uint64_t end = sum();
    memcpy(state, saved, PAGES * PAGE);
    seed = seed_then;
    compute(&seed, 5000);
    printf("5 checkpoints copied %ld of %d pages\n", n_saved, 5 * PAGES);
    return sum() == end && n_saved <= 5 * PER_STEP + 5;
}

static void write_all(void *opaque)
{
    for (int i = 0; i < PAGES; i++)
        state[i * PAGE] ^= 1;
}

static void first_writes(void *opaque)
{
    write_all(NULL);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    mprotect((void *)((uint64_t)info->si_addr & ~(uint64_t)(PAGE - 1)), PAGE,
             PROT_READ | PROT_WRITE);
}

// The time of the writes alone: beginning anew is measured apart.
static double time_writes(void (*begin)(void))
{
    double best = 1e18;
    for (int i = 0; i < ROUNDS; i++) {
        begin();
        double ns = clock_best(first_writes, NULL, 1, PAGES);
        best = ns < best ? ns : best;
    }
    return best;
}

static void begin_on_host(void)
{
    mprotect(state, PAGES * PAGE, PROT_READ);
}

static void begin_in_guest(void)
{
    dune_dirty_collect(bits);
}

static void collect_only(void *opaque)
{
    dune_dirty_collect(bits);
}

int main(void)
{
    struct sigaction a = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    state = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    saved = calloc(PAGES, PAGE);
    memset(state, 0, PAGES * PAGE);
    sigaction(SIGSEGV, &a, NULL);
    double host = time_writes(begin_on_host);
    int ret = dune_enter();
    if (ret || (ret = dune_dirty_begin(state, PAGES * PAGE))) {
        fprintf(stderr, "checkpoint: guest mode: %s\n", strerror(-ret));
        return CLOCK_SKIPPED;
    }
    write_all(NULL);
    bool ok = goes_back();
    double guest = time_writes(begin_in_guest),
           collect = clock_best(collect_only, NULL, ROUNDS, PAGES);
    dune_dirty_end();
    dune_leave();
    printf("went back and came to the same end: %s\n", ok ? "yes" : "no");
    clock_tell("first write to a page that is watched", guest, "SIGSEGV and mprotect", host);
    printf("%-44s %10.1f ns per page\n", "collecting the log", collect);
    return !ok;
}
