// SPDX-License-Identifier: Apache-2.0
// A description that is right, for tests to break.
#pragma once

#include "hv/crc32.h"
#include "include/longhouse/cell_blob.h"

struct sample_blob {
    struct cell_blob head;
    struct cell_blob_cpu cpus[2];
    struct cell_blob_memory memory[2];
    struct cell_blob_device devices[2];
};

static inline void sample_seal(struct sample_blob *s)
{
    s->head.crc32 = 0;
    s->head.crc32 = crc32_of(0, s, sizeof(*s));
}

static inline struct sample_blob sample_blob(const char *name, u32 first_cpu)
{
    struct sample_blob s = {
        .head = {.magic = CELL_BLOB_MAGIC,
                 .version = CELL_BLOB_VERSION,
                 .kind = CELL_BLOB_CELL,
                 .size = sizeof(s),
                 .n_cpus = 2,
                 .n_memory = 2,
                 .n_devices = 2,
                 .entry = 0x200000},
        .cpus = {{first_cpu, 0}, {first_cpu + 1, 0}},
        .memory = {{0, 0x2000000, CELL_MEMORY_RAM, 7, 0, 0},
                   {0x80000000, 0x4000000, CELL_MEMORY_RAM, 3, 0, 0}},
        .devices = {{0x1fe001e0, CELL_DEVICE_UART, 32, 0, 0},
                    {0x100e001c, CELL_DEVICE_POWER, 0, 0, 0}},
    };
    for (unsigned i = 0; i < CELL_NAME_SIZE - 1 && name[i]; i++)
        s.head.name[i] = name[i];
    sample_seal(&s);
    return s;
}
