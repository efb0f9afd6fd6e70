// SPDX-License-Identifier: Apache-2.0
// Memory slots: which guest-physical addresses the kernel maps by itself.
//
// RAM blocks are slots for good. Direct memory (boot ROM, flash in array mode) is a read-only slot
// while it is direct: the kernel hands over writes, and everything once the slot is gone. Slots are
// whole pages of the host; a range that is not gets a copy among bytes that read as ones.
#include "cpu/loongarch64/kvm_private.h"
#include "base/bits.h"
#include "base/bug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static bool set_slot(struct la_kvm *k, const struct kvm_userspace_memory_region *r, struct err *e)
{
    return !ioctl(k->fd, KVM_SET_USER_MEMORY_REGION, r) ||
           err_set(e, "give KVM the memory at 0x%llx: %s", (unsigned long long)r->guest_phys_addr,
                   strerror(errno));
}

static bool add_ram(struct la_kvm *k, const struct mem_space *m, struct err *e)
{
    for (unsigned i = 0; i < m->n_ram; i++) {
        struct kvm_userspace_memory_region r = {.slot = i,
                                                .guest_phys_addr = m->ram[i].base,
                                                .memory_size = m->ram[i].size,
                                                .userspace_addr = (uintptr_t)m->ram[i].host};
        if (!set_slot(k, &r, e))
            return false;
    }
    k->memory.has_ram = true;
    return true;
}

static u64 page_base(const struct kvm_memory *memory, u64 address)
{
    return address & ~(memory->page_size - 1);
}

static u64 pages_size(const struct kvm_memory *memory, const struct mem_direct_range *r)
{
    u64 base = page_base(memory, r->base);
    return align_up(r->base + r->size, memory->page_size) - base;
}

static bool is_whole_pages(const struct kvm_memory *memory, const struct mem_direct_range *r)
{
    return !((r->base | r->size | (uintptr_t)r->host) & (memory->page_size - 1));
}

static void fill_copy(const struct kvm_memory *memory, struct kvm_rom *rom)
{
    u8 *at = rom->copy + (rom->range.base - page_base(memory, rom->range.base));
    if (memcmp(at, rom->range.host, rom->range.size))
        memcpy(at, rom->range.host, rom->range.size);
}

static void make_copy(const struct kvm_memory *memory, struct kvm_rom *rom)
{
    u64 size = pages_size(memory, &rom->range);
    rom->copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    BUG_ON(rom->copy == MAP_FAILED);
    memset(rom->copy, 0xff, size);
    fill_copy(memory, rom);
}

static void free_copy(const struct kvm_memory *memory, struct kvm_rom *rom)
{
    if (rom->copy)
        munmap(rom->copy, pages_size(memory, &rom->range));
    *rom = (struct kvm_rom){0};
}

static u32 rom_slot(const struct kvm_memory *memory, const struct kvm_rom *rom)
{
    return MEM_MAX_RAM + (u32)(rom - memory->roms);
}

static bool add_rom(struct la_kvm *k, const struct mem_direct_range *range, struct err *e)
{
    struct kvm_memory *memory = &k->memory;
    struct kvm_rom *rom = memory->roms;
    while (rom->range.size)
        rom++;
    rom->range = *range;
    if (!is_whole_pages(memory, range))
        make_copy(memory, rom);
    struct kvm_userspace_memory_region r = {
        .slot = rom_slot(memory, rom),
        .flags = KVM_MEM_READONLY,
        .guest_phys_addr = page_base(memory, range->base),
        .memory_size = pages_size(memory, range),
        .userspace_addr = (uintptr_t)(rom->copy ? rom->copy : range->host),
    };
    return set_slot(k, &r, e);
}

static bool remove_rom(struct la_kvm *k, struct kvm_rom *rom, struct err *e)
{
    struct kvm_userspace_memory_region r = {.slot = rom_slot(&k->memory, rom),
                                            .guest_phys_addr =
                                                page_base(&k->memory, rom->range.base)};
    if (!set_slot(k, &r, e))
        return false;
    free_copy(&k->memory, rom);
    return true;
}

static bool is_same(const struct mem_direct_range *a, const struct mem_direct_range *b)
{
    return a->base == b->base && a->size == b->size && a->host == b->host;
}

static bool is_among(const struct mem_direct_range *r, const struct mem_direct_range *all,
                     unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (is_same(r, &all[i]))
            return true;
    return false;
}

static bool is_mapped(const struct kvm_memory *memory, const struct mem_direct_range *r)
{
    for (unsigned i = 0; i < KVM_MAX_ROMS; i++)
        if (is_same(&memory->roms[i].range, r))
            return true;
    return false;
}

// What went goes first: what comes may overlap it. The contents of a range that stays may have
// changed.
static bool update_roms(struct la_kvm *k, const struct mem_direct_range *wanted, unsigned n,
                        struct err *e)
{
    struct kvm_memory *memory = &k->memory;
    for (struct kvm_rom *rom = memory->roms; rom < memory->roms + KVM_MAX_ROMS; rom++) {
        if (rom->range.size && !is_among(&rom->range, wanted, n) && !remove_rom(k, rom, e))
            return false;
        if (rom->copy)
            fill_copy(memory, rom);
    }
    for (unsigned i = 0; i < n; i++)
        if (!is_mapped(memory, &wanted[i]) && !add_rom(k, &wanted[i], e))
            return false;
    return true;
}

bool kvm_memory_update(struct la_kvm *k, struct mem_space *m, struct err *e)
{
    struct mem_direct_range wanted[KVM_MAX_ROMS];
    mem_lock(m);
    unsigned n = mem_direct_ranges(m, wanted, KVM_MAX_ROMS);
    bool ok = (k->memory.has_ram || add_ram(k, m, e)) && update_roms(k, wanted, n, e);
    mem_unlock(m);
    return ok;
}

void kvm_memory_free(struct kvm_memory *memory)
{
    for (unsigned i = 0; i < KVM_MAX_ROMS; i++)
        free_copy(memory, &memory->roms[i]);
}
