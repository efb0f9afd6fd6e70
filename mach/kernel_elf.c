// SPDX-License-Identifier: Apache-2.0
// Reads LoongArch64 ELF programs: vmlinux and bare-metal payloads, by their program headers.
//
// Segments go to their physical addresses. vmlinux has addresses of the directly mapped windows in
// both fields; only the low 48 bits count. The entry is a virtual address and is moved along with
// the segment that holds it.
#include "base/bits.h"
#include "mach/kernel_parse.h"

#include <elf.h>
#include <string.h>

// The header's fields that decide whether the program is for this machine at all.
static bool check_target(const u8 *data, size_t size, struct err *e)
{
    if (size < sizeof(Elf64_Ehdr))
        return err_set(e, "is truncated: %zu bytes, an ELF header has %zu", size,
                       sizeof(Elf64_Ehdr));
    if (data[EI_CLASS] == ELFCLASS32)
        return err_set(e, "is a 32-bit ELF program; the machine runs 64-bit LoongArch");
    if (data[EI_CLASS] != ELFCLASS64)
        return err_set(e, "is corrupt: ELF class %u", data[EI_CLASS]);
    if (data[EI_DATA] == ELFDATA2MSB)
        return err_set(e, "is a big-endian ELF program for %s, not for LoongArch64",
                       kernel_elf_machine_name((u16)load_be(data + 18, 2)));
    if (data[EI_DATA] != ELFDATA2LSB)
        return err_set(e, "is corrupt: ELF data encoding %u", data[EI_DATA]);
    u16 machine = (u16)load_le(data + 18, 2);
    if (machine != ELF_MACHINE_LOONGARCH)
        return err_set(e, "is an ELF program for %s (ELF machine %u), not for LoongArch64",
                       kernel_elf_machine_name(machine), machine);
    return true;
}

static bool check_headers(const Elf64_Ehdr *h, size_t size, struct err *e)
{
    if (h->e_type == ET_REL)
        return err_set(e, "is an object file; link it first");
    if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
        return err_set(e, "is not a program: ELF type %u", h->e_type);
    if (h->e_phnum == 0)
        return err_set(e, "has no program headers");
    if (h->e_phentsize != sizeof(Elf64_Phdr))
        return err_set(e, "is corrupt: program headers of %u bytes", h->e_phentsize);
    u64 headers_size = (u64)h->e_phnum * sizeof(Elf64_Phdr);
    if (h->e_phoff > size || headers_size > size - h->e_phoff)
        return err_set(e, "is truncated: %zu bytes, its %u program headers begin at %llu", size,
                       h->e_phnum, (unsigned long long)h->e_phoff);
    return true;
}

static bool check_segment(const Elf64_Phdr *p, unsigned index, size_t size, struct err *e)
{
    if (p->p_filesz > p->p_memsz)
        return err_set(e, "is corrupt: segment %u has more bytes in the file than in memory",
                       index);
    if (p->p_offset > size || p->p_filesz > size - p->p_offset)
        return err_set(e, "is truncated: %zu bytes, segment %u ends at %llu", size, index,
                       (unsigned long long)(p->p_offset + p->p_filesz));
    if (p->p_memsz > KERNEL_PHYSICAL_MASK - (p->p_paddr & KERNEL_PHYSICAL_MASK))
        return err_set(
            e, "is corrupt: segment %u of %llu bytes at 0x%llx ends above the address space", index,
            (unsigned long long)p->p_memsz, (unsigned long long)p->p_paddr);
    return true;
}

// Keeps the segments ascending.
static bool add_segment(struct kernel_image *k, struct kernel_segment s, struct err *e)
{
    unsigned at = k->n_segments;
    if (at == KERNEL_MAX_SEGMENTS)
        return err_set(e, "has more than %d segments", KERNEL_MAX_SEGMENTS);
    for (; at > 0 && k->segments[at - 1].base > s.base; at--)
        k->segments[at] = k->segments[at - 1];
    k->segments[at] = s;
    k->n_segments++;
    return true;
}

static bool check_overlaps(const struct kernel_image *k, struct err *e)
{
    for (unsigned i = 1; i < k->n_segments; i++) {
        const struct kernel_segment *a = &k->segments[i - 1], *b = &k->segments[i];
        if (a->base + a->size > b->base)
            return err_set(e, "is corrupt: segments 0x%llx-0x%llx and 0x%llx-0x%llx overlap",
                           (unsigned long long)a->base, (unsigned long long)(a->base + a->size - 1),
                           (unsigned long long)b->base,
                           (unsigned long long)(b->base + b->size - 1));
    }
    return true;
}

// Entry as the linker saw it -> physical, if the segment holds it.
static bool entry_in_segment(const Elf64_Phdr *p, u64 entry, u64 *physical)
{
    if (entry < p->p_vaddr || entry - p->p_vaddr >= p->p_memsz)
        return false;
    *physical = (p->p_paddr + (entry - p->p_vaddr)) & KERNEL_PHYSICAL_MASK;
    return true;
}

static bool is_inside(const struct kernel_image *k, u64 address)
{
    for (unsigned i = 0; i < k->n_segments; i++)
        if (address >= k->segments[i].base && address - k->segments[i].base < k->segments[i].size)
            return true;
    return false;
}

static bool read_segments(struct kernel_image *k, const Elf64_Ehdr *h, const u8 *data, size_t size,
                          struct err *e)
{
    bool has_entry = false;
    for (unsigned i = 0; i < h->e_phnum; i++) {
        Elf64_Phdr p;
        memcpy(&p, data + h->e_phoff + i * sizeof(p), sizeof(p));
        if (p.p_type == PT_INTERP)
            return err_set(e, "is a user program for Linux, not a kernel");
        if (p.p_type != PT_LOAD)
            continue;
        if (!check_segment(&p, i, size, e))
            return false;
        if (!p.p_memsz)
            continue;
        struct kernel_segment s = {p.p_paddr & KERNEL_PHYSICAL_MASK, p.p_memsz, data + p.p_offset,
                                   p.p_filesz};
        if (!add_segment(k, s, e))
            return false;
        has_entry = has_entry || entry_in_segment(&p, h->e_entry, &k->entry);
    }
    // Some linker scripts give the entry as a physical address while segments are virtual.
    if (!has_entry)
        k->entry = h->e_entry & KERNEL_PHYSICAL_MASK;
    return true;
}

bool kernel_elf_parse(struct kernel_image *k, const u8 *data, size_t size, struct err *e)
{
    Elf64_Ehdr h;
    if (!check_target(data, size, e))
        return false;
    memcpy(&h, data, sizeof(h));
    k->form = "ELF program";
    if (!check_headers(&h, size, e) || !read_segments(k, &h, data, size, e))
        return false;
    if (!k->n_segments)
        return err_set(e, "has nothing to load: no PT_LOAD segment");
    if (!check_overlaps(k, e))
        return false;
    if (k->entry % 4 || !is_inside(k, k->entry))
        return err_set(e, "is corrupt: entry 0x%llx is not in any segment",
                       (unsigned long long)h.e_entry);
    return true;
}
