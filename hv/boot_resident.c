// SPDX-License-Identifier: Apache-2.0
// The other way to start: below a firmware that runs, which goes on as the root cell. Processors
// that it keeps waiting stay with it until the root cell starts them.
#include "hv/boot_resident.h"
#include "base/bits.h"
#include "hv/arch.h"
#include "hv/boot.h"
#include "hv/text.h"

#define PAGE_BITS    12
#define ATTRIBUTE_WB BIT(3)
#define IS_RAM       1

enum { EFI_UNUSABLE = 8, EFI_MMIO = 11, EFI_PORTS = 12 };

static struct boot_tables tables;

// All memory that is any, whatever for: firmware uses what it reserves.
static bool is_memory(const u8 *descriptor)
{
    u64 type = load_le(descriptor, 4);
    return load_le(descriptor + 32, 8) & ATTRIBUTE_WB && type != EFI_UNUSABLE && type != EFI_MMIO &&
           type != EFI_PORTS;
}

static bool read_map(struct boot *b, const struct resident_order *o)
{
    for (u64 at = 0; at + o->descriptor_size <= o->map_size; at += o->descriptor_size) {
        const u8 *d = o->map + at;
        if (is_memory(d) &&
            !boot_tables_add(&tables, load_le(d + 8, 8), load_le(d + 24, 8) << PAGE_BITS, IS_RAM))
            return boot_refuse(b, "the memory map has too many pieces");
    }
    return true;
}

static bool prepare(struct boot *b, struct resident_order *o)
{
    if (!boot_check_system(b, o->system, o->system_size) || !read_map(b, o) ||
        !boot_take_memory(b, o->pool_base, o->pool_size))
        return false;
    for (u32 i = 0; i < b->system.head->n_cpus; i++)
        if (b->system.cpus[i].id)
            boot_add_cpu(b, b->system.cpus[i].id);
    return boot_make_root(b);
}

bool resident_prepare(struct resident_order *o)
{
    static struct boot boot;
    o->cpu = arch_cpu_area(0);
    boot_begin(&boot, o->cpu, &tables);
    bool is_good = prepare(&boot, o);
    if (is_good)
        boot_log_start(&boot);
    text_copy(o->why, sizeof(o->why), boot.why);
    return is_good;
}
