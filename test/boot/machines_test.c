// SPDX-License-Identifier: Apache-2.0
// Machines in one process: each has threads of its own and runs beside the others, and what one
// does is not seen in another. Their programs lie at the same addresses and store to the same ones.
#include "mach/machine_bench.h"

#include "host/console/console.h"
#include "host/loop.h"
#include "vmm/accel.h"
#include "vmm/cpu_option.h"
#include "vmm/host_clock.h"

#include <pthread.h>
#include <stdarg.h>

#define RESULT   0x800000ULL // where every program stores
#define COUNTER  0x800008ULL // of starts; RAM keeps it over a reset
#define PER_CHAR 4096        // rounds between two characters on the serial port
#define DEADLINE (120 * NS_PER_SEC)

struct rig {
    struct bench bench;
    struct host_clock clock;
    struct loop loop;
    struct console *console;
    struct accel *accel;
    pthread_t thread;
    char output[64]; // what the serial port wrote to; removed with the bench's files
    u64 seed, n_rounds;
    char letter;
    char lines[40][64];
    const char *program[41];
};

static void rearm(void *opaque)
{
    struct host_clock *h = opaque;
    loop_rearm(&container_of(h, struct rig, clock)->loop);
}

static void guest_asks(void *opaque, enum shutdown_reason reason)
{
    loop_wake(&((struct rig *)opaque)->loop);
}

static void emit(struct rig *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void emit(struct rig *r, const char *format, ...)
{
    unsigned n = 0;
    while (r->program[n])
        n++;
    CHECK(n < ARRAY_LEN(r->lines));
    va_list ap;
    va_start(ap, format);
    vsnprintf(r->lines[n], sizeof(r->lines[n]), format, ap);
    va_end(ap);
    r->program[n] = r->lines[n];
}

static void emit_xorshift(struct rig *r, const char *shift, unsigned by)
{
    emit(r, "%s $t3, $t0, %u", shift, by);
    emit(r, "xor $t0, $t0, $t3");
}

static u64 xorshift(u64 x, u64 n_rounds)
{
    for (; n_rounds; n_rounds--) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    return x;
}

// Counts its start, does its rounds, prints its letter now and then, and powers off.
static void write_program(struct rig *r)
{
    emit(r, "lu12i.w $t2, %d", (int)(RESULT >> 12));
    emit(r, "ld.d $t0, $t2, 8");
    emit(r, "addi.d $t0, $t0, 1");
    emit(r, "st.d $t0, $t2, 8");
    emit(r, "ori $t0, $zero, %u", (unsigned)r->seed);
    emit(r, "lu12i.w $t1, %u", (unsigned)(r->n_rounds >> 12));
    emit(r, "lu12i.w $t4, 0x1fe00");
    emit(r, "ori $t4, $t4, 0x1e0");
    emit(r, "ori $t5, $zero, %u", r->letter);
    emit_xorshift(r, "slli.d", 13); // the loop
    emit_xorshift(r, "srli.d", 7);
    emit_xorshift(r, "slli.d", 17);
    emit(r, "st.d $t0, $t2, 0");
    emit(r, "ld.d $t0, $t2, 0");
    emit(r, "andi $t3, $t1, %u", PER_CHAR - 1);
    emit(r, "bnez $t3, 20");
    emit(r, "ld.bu $t3, $t4, 5"); // LSR.THRE
    emit(r, "andi $t3, $t3, 32");
    emit(r, "beqz $t3, -8");
    emit(r, "st.b $t5, $t4, 0");
    emit(r, "addi.d $t1, $t1, -1");
    emit(r, "bnez $t1, -60");
    emit(r, "lu12i.w $t4, 0x100e0");
    emit(r, "ori $t5, $zero, 0x34");
    emit(r, "st.b $t5, $t4, 0x1c");
    emit(r, "b 0");
    bench_program(&r->bench, r->program, PROGRAM_BASE);
}

static struct rig *rig_new(char letter, u64 seed, u64 n_rounds, unsigned n_cpus, const char *model)
{
    struct rig *r = calloc(1, sizeof(*r));
    bench_init(&r->bench);
    r->seed = seed;
    r->n_rounds = n_rounds;
    r->letter = letter;
    host_clock_init(&r->clock);
    r->clock.clock.rearm = rearm;
    CHECK(loop_init(&r->loop, &r->bench.e));
    struct machine_config *c = &r->bench.config;
    const char *path = bench_file(&r->bench, "", 0);
    char option[80];
    snprintf(option, sizeof(option), "file:%s", path);
    snprintf(r->output, sizeof(r->output), "%s", path);
    r->console = console_open(option, &r->loop, &r->bench.e);
    c->serials[0] = r->console;
    c->clock = &r->clock.clock;
    c->loop = &r->loop;
    c->n_cpus = n_cpus;
    c->cpu_new = cpu_option_new;
    c->cpu_opaque = (void *)(uintptr_t)model;
    c->shutdown = guest_asks;
    c->shutdown_opaque = r;
    write_program(r);
    if (bench_start(&r->bench)) {
        struct machine *m = r->bench.machine;
        loop_bind(&r->loop, &m->mem.device_lock, &r->clock.clock);
        r->accel = accel_new(m->cpus, m->n_cpus, NULL, NULL);
    }
    return r;
}

static void rig_free(struct rig *r)
{
    accel_free(r->accel);
    machine_free(r->bench.machine);
    r->bench.machine = NULL;
    console_close(r->console);
    loop_free(&r->loop);
    bench_free(&r->bench);
    free(r);
}

static bool is_running(const struct rig *r)
{
    return r->bench.machine->shutdown_request == MACHINE_RUNS;
}

static void *serve(void *opaque)
{
    struct rig *r = opaque;
    accel_resume(r->accel);
    while (is_running(r) && clock_now(&r->clock.clock) < DEADLINE)
        loop_run(&r->loop, NS_PER_SEC / 10);
    accel_pause(r->accel);
    return NULL;
}

static void rig_start(struct rig *r)
{
    CHECK_EQ(pthread_create(&r->thread, NULL, serve, r), 0);
}

static void rig_join(struct rig *r)
{
    pthread_join(r->thread, NULL);
    CHECK(!is_running(r));
}

// Everything is as if this machine had been alone, `n_starts` times.
static void check_results(struct rig *r, u64 n_starts)
{
    CHECK_EQ(r->bench.machine->shutdown_request, 1 + SHUTDOWN_POWER_OFF);
    CHECK_EQ(bench_word(&r->bench, RESULT), xorshift(r->seed, r->n_rounds));
    CHECK_EQ(bench_word(&r->bench, COUNTER), n_starts);
    loop_run(&r->loop, 0); // what is still buffered goes out
    char text[4096] = "";
    FILE *f = fopen(r->output, "r");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    if (f)
        fclose(f);
    CHECK_EQ(n, n_starts * (r->n_rounds / PER_CHAR));
    CHECK_EQ(strspn(text, (char[]){r->letter, 0}), n);
}

TEST(two_machines_run_at_once)
{
    struct rig *a = rig_new('a', 1234, 512 * PER_CHAR, 1, "la464");
    struct rig *b = rig_new('b', 567, 700 * PER_CHAR, 2, "max");
    if (a->accel && b->accel) {
        rig_start(a);
        rig_start(b);
        rig_join(a);
        rig_join(b);
        check_results(a, 1);
        check_results(b, 1);
    }
    rig_free(a);
    rig_free(b);
}

TEST(machines_come_and_go_beside_one_that_runs)
{
    struct rig *lasting = rig_new('l', 99, 2000 * PER_CHAR, 2, "max");
    if (lasting->accel)
        rig_start(lasting);
    for (unsigned i = 0; i < 3; i++) {
        struct rig *r = rig_new('x', 7 + i, 8 * PER_CHAR, 1 + i, i ? "max" : "la464");
        if (r->accel) {
            rig_start(r);
            rig_join(r);
            check_results(r, 1);
        }
        rig_free(r);
    }
    if (lasting->accel) {
        rig_join(lasting);
        check_results(lasting, 1);
    }
    rig_free(lasting);
}

TEST(a_reset_of_one_leaves_the_other_alone)
{
    struct rig *a = rig_new('a', 31, 160 * PER_CHAR, 1, "max");
    struct rig *b = rig_new('b', 32, 1000 * PER_CHAR, 1, "max");
    if (a->accel && b->accel) {
        rig_start(b);
        for (unsigned i = 0; i < 3; i++) {
            if (i)
                machine_reset(a->bench.machine);
            rig_start(a);
            rig_join(a);
        }
        rig_join(b);
        check_results(a, 3);
        check_results(b, 1);
    }
    rig_free(a);
    rig_free(b);
}
