// SPDX-License-Identifier: Apache-2.0
#include "hv/boot_tables.h"
#include "base/bits.h"
#include "hv/arch.h"
#include "hv/text.h"

#define SYSTAB_SIGNATURE 0x5453595320494249ULL // "IBI SYST"
#define CONFIG_SIZE      24
#define MAX_CONFIG       32
#define MAP_HEADER       40
#define DESCRIPTOR       40
#define PAGE_BITS        12
#define ATTRIBUTE_WB     8

// GUIDs as bytes in memory (Linux: include/linux/efi.h).
static const u8 guid_map[16] = {0x3f, 0x68, 0x0f, 0x80, 0x8b, 0xd0, 0x3a, 0x42,
                                0xa2, 0x93, 0x96, 0x5c, 0x3c, 0x6f, 0xe2, 0xb4};
static const u8 guid_initrd[16] = {0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68, 0x3d, 0x4f,
                                   0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68};

static u8 *at(u64 pa)
{
    return arch_memory(pa);
}

static u8 *find_config(u64 systab, const u8 guid[16])
{
    u8 *table = at(load_le(at(systab) + 112, 8));
    u64 n = load_le(at(systab) + 104, 8);
    for (u64 i = 0; i < n && i < MAX_CONFIG; i++, table += CONFIG_SIZE)
        if (!memcmp(table, guid, 16))
            return at(load_le(table + 16, 8));
    return NULL;
}

bool boot_tables_read(struct boot_tables *t, u64 systab)
{
    *t = (struct boot_tables){0};
    if (load_le(at(systab), 8) != SYSTAB_SIGNATURE)
        return false;
    t->map = find_config(systab, guid_map);
    t->initrd = find_config(systab, guid_initrd);
    if (!t->map || load_le(t->map + 8, 8) != DESCRIPTOR)
        return false;
    u64 n = load_le(t->map, 8) / DESCRIPTOR;
    for (u64 i = 0; i < n && i < BOOT_MAX_RANGES; i++) {
        const u8 *d = t->map + MAP_HEADER + i * DESCRIPTOR;
        t->ranges[t->n++] = (struct boot_range){load_le(d + 8, 8), load_le(d + 24, 8) << PAGE_BITS,
                                                (u32)load_le(d, 4)};
    }
    return n <= BOOT_MAX_RANGES;
}

static bool insert(struct boot_tables *t, u32 i, struct boot_range r)
{
    if (!r.size)
        return true;
    if (t->n == BOOT_MAX_RANGES)
        return false;
    for (u32 k = t->n++; k > i; k--)
        t->ranges[k] = t->ranges[k - 1];
    t->ranges[i] = r;
    return true;
}

static void join(struct boot_tables *t, u32 i)
{
    struct boot_range *r = &t->ranges[i];
    if (i + 1 >= t->n || r->base + r->size != r[1].base || r->type != r[1].type)
        return;
    r->size += r[1].size;
    t->n--;
    for (u32 k = i + 1; k < t->n; k++)
        t->ranges[k] = t->ranges[k + 1];
}

bool boot_tables_add(struct boot_tables *t, u64 base, u64 size, u32 type)
{
    u32 i = 0;
    while (i < t->n && t->ranges[i].base < base)
        i++;
    if (!insert(t, i, (struct boot_range){base, size, type}))
        return false;
    join(t, i);
    if (i)
        join(t, i - 1);
    return true;
}

// What is left of a range in front of and behind the reserved one, which takes its place.
static bool cut(struct boot_tables *t, u32 i, u64 base, u64 end)
{
    struct boot_range r = t->ranges[i];
    u64 r_end = r.base + r.size, from = r.base > base ? r.base : base,
        to = r_end < end ? r_end : end;
    t->ranges[i] = (struct boot_range){from, to - from, 0};
    return insert(t, i + 1, (struct boot_range){to, r_end - to, r.type}) &&
           insert(t, i, (struct boot_range){r.base, from - r.base, r.type});
}

bool boot_tables_reserve(struct boot_tables *t, u64 base, u64 size)
{
    for (u32 i = 0; i < t->n; i++) {
        const struct boot_range *r = &t->ranges[i];
        bool is_hit = r->type && r->base < base + size && base < r->base + r->size;
        if (is_hit && !cut(t, i, base, base + size))
            return false;
    }
    return true;
}

void boot_tables_write(struct boot_tables *t, u64 initrd, u64 initrd_size)
{
    store_le(t->map, t->n * DESCRIPTOR, 8);
    store_le(t->map + 32, t->n * DESCRIPTOR, 8);
    for (u32 i = 0; i < t->n; i++) {
        u8 *d = t->map + MAP_HEADER + i * DESCRIPTOR;
        store_le(d, t->ranges[i].type, 8);
        store_le(d + 8, t->ranges[i].base, 8);
        store_le(d + 16, 0, 8);
        store_le(d + 24, t->ranges[i].size >> PAGE_BITS, 8);
        store_le(d + 32, ATTRIBUTE_WB, 8);
    }
    if (t->initrd) {
        store_le(t->initrd, initrd, 8);
        store_le(t->initrd + 8, initrd_size, 8);
    }
}
