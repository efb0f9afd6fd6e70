// SPDX-License-Identifier: Apache-2.0
// Commands on a whole machine: what a person may write, and what a guest may have left in its
// registers, is answered.
#include "vmm/monitor.h"
#include "base/text.h"
#include "mach/machine_bench.h"
#include "vmm/monitor_command.h"

struct fixture {
    struct bench bench;
    struct accel *accel;
    struct host_clock clock;
    struct pace pace;
    struct monitor monitor;
    unsigned cpu;
};

static struct cpu *max_cpu(void *opaque, struct cpu_bus *bus, unsigned index, struct err *e)
{
    return &la_cpu_new(la_model_find("max"), bus, index)->cpu;
}

static const char *const spin[] = {"b 0", NULL};

static bool begin(struct fixture *f)
{
    *f = (struct fixture){0};
    bench_init(&f->bench);
    bench_program(&f->bench, spin, PROGRAM_BASE);
    f->bench.config.cpu_new = max_cpu;
    f->bench.config.n_cpus = 2;
    if (!bench_start(&f->bench))
        return false;
    struct machine *m = f->bench.machine;
    f->accel = accel_new(m->cpus, m->n_cpus, NULL, NULL);
    host_clock_init(&f->clock);
    pace_init(&f->pace, f->accel, &f->clock, &m->mem);
    f->monitor = (struct monitor){.machine = m, .pace = &f->pace};
    return true;
}

static void end(struct fixture *f)
{
    accel_free(f->accel);
    bench_free(&f->bench);
}

// What the line is answered with, or the message.
static bool run(struct fixture *f, const char *line, struct text *to, struct err *e)
{
    char copy[1024];
    snprintf(copy, sizeof(copy), "%s", line);
    *e = (struct err){0};
    text_clear(to);
    return monitor_execute(&f->monitor, &f->cpu, copy, to, e);
}

TEST(a_machine_is_held_and_stopped)
{
    struct fixture f;
    struct text t = {0};
    struct err e;
    REQUIRE(begin(&f));
    struct cpu *cpu = f.bench.machine->cpus[0];
    CHECK_EQ(cpu->n_insns, 0);
    pace_release(&f.pace);
    while (!__atomic_load_n(&cpu->n_insns, __ATOMIC_RELAXED))
        ;
    pace_hold(&f.pace);
    u64 n = cpu->n_insns;
    CHECK(run(&f, "info status", &t, &e)); // holds within a hold
    CHECK_EQ(cpu->n_insns, n);
    CHECK(run(&f, "stop", &t, &e));
    u64 now = clock_now(&f.clock.clock);
    CHECK(f.clock.clock.is_stopped);
    pace_release(&f.pace);
    CHECK_EQ(cpu->n_insns, n);
    CHECK_EQ(clock_now(&f.clock.clock), now);
    CHECK(run(&f, "info status", &t, &e));
    CHECK(!strncmp(text_string(&t), "stopped", 7));
    CHECK(run(&f, "cont", &t, &e));
    CHECK(!f.clock.clock.is_stopped);
    while (__atomic_load_n(&cpu->n_insns, __ATOMIC_RELAXED) == n)
        ;
    CHECK(clock_now(&f.clock.clock) >= now);
    CHECK(run(&f, "system_reset", &t, &e));
    CHECK_EQ(f.bench.machine->shutdown_request, 1 + SHUTDOWN_RESET);
    CHECK(run(&f, "quit", &t, &e));
    CHECK(f.monitor.wants_to_quit);
    text_free(&t);
    end(&f);
}

static u64 next(u64 *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s * 0x2545f4914f6cdd1d;
}

static const char *any_command(u64 *s)
{
    unsigned n = 0;
    while (monitor_commands[n].name)
        n++;
    return monitor_commands[next(s) % n].name;
}

static const char *any_word(u64 *s)
{
    // clang-format off
    static const char *const words[] = {
        "0", "0x1fe001e0", "0xffffffffffffffff", "0x8000000000000000", "$pc", "$sp+8", "$badv",
        "$gstat", "guest", "root", "plv", "3", "fetch", "store", "load", "/4xg", "/1024i", "/9c",
        "/3ob", "1", "registers", "csr", "gcsr", "tlb", "lvz", "memory", "interrupts", "cpus",
        "status", "devices", "block", "network", "version", "vector", "fp", "crmd", "stage2", "",
        "/", "$", "-", "+1", "\x80\xff"};
    // clang-format on
    return words[next(s) % ARRAY_LEN(words)];
}

// Any bits in any register and any entry: a guest could have put them there, or the next one may.
static void spoil(u64 *s, struct la_cpu *c)
{
    struct la_context *contexts[] = {&c->root, &c->guest};
    for (unsigned i = 0; i < 2; i++)
        for (unsigned n = 0; n < CSR_N; n++)
            if (n != CSR_CRMD || next(s) >> 62)
                contexts[i]->csr[n] = next(s) >> (next(s) & 63);
    for (unsigned i = 0; i < LA_TLB_ENTRIES; i++)
        for (unsigned kind = 0; kind < LA_N_TLBS; kind++)
            c->tlb[kind].entries[i] = (struct la_tlb_entry){.vppn = next(s) & BITS(47, 13),
                                                            .elo = {next(s), next(s)},
                                                            .asid = next(s) & 0x3ff,
                                                            .ps = next(s) & 63,
                                                            .exists = !(next(s) >> 59),
                                                            .gid = next(s) & 0xff};
    c->context = contexts[next(s) >> 63];
    c->csr = c->context->csr;
    c->pc = next(s);
}

TEST(whatever_is_written_is_answered)
{
    struct fixture f;
    struct text t = {0};
    struct err e;
    u64 s = 88172645463325252ULL;
    unsigned n_answers = 0, n_messages = 0;
    REQUIRE(begin(&f));
    for (unsigned i = 0; i < 3000; i++) {
        char line[256] = "";
        if (i % 50 == 0)
            spoil(&s, la_of(f.bench.machine->cpus[i / 50 % 2]));
        snprintf(line, sizeof(line), "%s", any_command(&s));
        for (unsigned n = next(&s) % 4; n; n--)
            snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s", any_word(&s));
        bool ok = run(&f, line, &t, &e);
        CHECK_EQ(ok, !err_is_set(&e));
        CHECK(!strchr(e.text, '\n'));
        CHECK(f.cpu < 2);
        n_answers += ok;
        n_messages += !ok;
    }
    CHECK(n_answers > 300);
    CHECK(n_messages > 300);
    text_free(&t);
    end(&f);
}
