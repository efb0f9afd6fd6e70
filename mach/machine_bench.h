// SPDX-License-Identifier: Apache-2.0
// A machine for tests: real processors, a clock that the test turns, files that go with it.
#pragma once

#include "mach/machine.h"

#include "base/bits.h"
#include "base/test.h"
#include "cpu/loongarch64/state.h"
#include "mach/kernel_sample.h"

#include <stdlib.h>
#include <unistd.h>

#define PROGRAM_BASE 0x200000ULL

struct bench {
    struct log log;
    struct clock clock;
    u64 now;
    struct machine_config config;
    struct machine *machine;
    struct err e;
    char files[4][64]; // removed by bench_free
    unsigned n_files;
};

static inline u64 bench_now(void *opaque)
{
    return ((struct bench *)opaque)->now;
}

static inline struct cpu *bench_cpu(void *opaque, struct cpu_bus *bus, unsigned index,
                                    struct err *e)
{
    return &la_cpu_new(la_model_find("la464"), bus, index)->cpu;
}

static inline void bench_init(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    b->clock = (struct clock){.now = bench_now, .opaque = b};
    b->config = (struct machine_config){.n_cpus = 1,
                                        .ram_size = 256 << 20,
                                        .clock = &b->clock,
                                        .log = &b->log,
                                        .cpu_new = bench_cpu};
}

static inline void bench_free(struct bench *b)
{
    machine_free(b->machine);
    for (unsigned i = 0; i < b->n_files; i++)
        unlink(b->files[i]);
}

// A new file with this content.
static inline const char *bench_file(struct bench *b, const void *data, size_t size)
{
    CHECK(b->n_files < ARRAY_LEN(b->files));
    char *path = b->files[b->n_files++];
    strcpy(path, "/tmp/machine_test.XXXXXX");
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, data, size), size);
    close(fd);
    return path;
}

static inline bool bench_start(struct bench *b)
{
    b->machine = machine_new(&b->config, &b->e);
    if (!b->machine)
        CHECK_STR(b->e.text, "");
    return b->machine;
}

// The machine is refused, with a message that has `part` in it.
static inline void bench_refused(struct bench *b, const char *part)
{
    b->e = (struct err){0};
    b->machine = machine_new(&b->config, &b->e);
    CHECK(!b->machine);
    if (!strstr(b->e.text, part))
        CHECK_STR(b->e.text, part);
    CHECK(!strchr(b->e.text, '\n'));
}

// A program, one instruction per line, as an ELF kernel at `base`.
static inline void bench_program(struct bench *b, const char *const *lines, u64 base)
{
    struct sample_segment s = {
        .vaddr = 0x9000000000000000 | base, .paddr = base, .memory_size = 0x3000};
    while (lines[s.file_size / 4])
        s.file_size += 4;
    size_t size;
    u8 *file = sample_elf(s.vaddr, &s, 1, &size);
    for (size_t i = 0; lines[i]; i++) {
        u32 word = 0;
        CHECK(la_assemble(lines[i], base + 4 * i, &word, &b->e));
        store_le(file + size - s.file_size + 4 * i, word, 4);
    }
    b->config.kernel = bench_file(b, file, size);
    free(file);
}

// Runs all processors in turn until the guest asks for power-off or reset.
static inline void bench_run(struct bench *b)
{
    struct machine *m = b->machine;
    for (unsigned round = 0; round < 1000 && m->shutdown_request == MACHINE_RUNS; round++) {
        for (unsigned i = 0; i < m->n_cpus; i++)
            cpu_run(m->cpus[i], 100);
        b->now += 1000;
    }
    CHECK(m->shutdown_request != MACHINE_RUNS);
}

static inline u64 bench_word(struct bench *b, u64 gpa)
{
    return mem_read(&b->machine->mem, gpa, 8);
}
