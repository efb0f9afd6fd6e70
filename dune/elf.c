// SPDX-License-Identifier: Apache-2.0
#include "dune/elf.h"
#include "dune/arch.h"

#include <elf.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = ARCH_PAGE };
#define HIGHEST (1ULL << 46)

bool elf_is_elf(const u8 *head, u64 size)
{
    return size >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG);
}

static bool check_header(const Elf64_Ehdr *h, u64 size, struct err *err)
{
    if (size < sizeof(*h) || !elf_is_elf(h->e_ident, SELFMAG))
        return err_set(err, "not an ELF program");
    if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB ||
        h->e_machine != ARCH_ELF_MACHINE)
        return err_set(err, "a program for another architecture (machine %u, %s bits)",
                       h->e_machine, h->e_ident[EI_CLASS] == ELFCLASS64 ? "64" : "32");
    if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
        return err_set(err, "an ELF file of type %u, which is no program", h->e_type);
    if (h->e_phentsize != sizeof(Elf64_Phdr) || !h->e_phnum)
        return err_set(err, "its program headers are not of the usual size");
    if (h->e_phoff > size || (u64)h->e_phnum * sizeof(Elf64_Phdr) > size - h->e_phoff)
        return err_set(err, "its program headers are not at the beginning");
    return true;
}

static bool add_segment(struct elf *e, const Elf64_Phdr *p, struct err *err)
{
    u64 skew = p->p_vaddr & (PAGE - 1);
    if (e->n_segments == ELF_MAX_SEGMENTS)
        return err_set(err, "more than %d segments", ELF_MAX_SEGMENTS);
    if (p->p_vaddr > HIGHEST || p->p_memsz > HIGHEST || p->p_filesz > p->p_memsz ||
        p->p_offset > HIGHEST || (p->p_offset & (PAGE - 1)) != skew)
        return err_set(err, "segment %u lies where it cannot be mapped", e->n_segments);
    u64 start = p->p_vaddr - skew, end = (p->p_vaddr + p->p_memsz + PAGE - 1) & ~(u64)(PAGE - 1);
    if (e->n_segments && start < e->high)
        return err_set(err, "segment %u overlaps the one before", e->n_segments);
    u32 prot = (p->p_flags & PF_R ? PROT_READ : 0) | (p->p_flags & PF_W ? PROT_WRITE : 0) |
               (p->p_flags & PF_X ? PROT_EXEC : 0);
    e->segments[e->n_segments] =
        (struct elf_segment){p->p_vaddr, p->p_memsz, p->p_offset, p->p_filesz, prot};
    if (!e->n_segments++)
        e->low = start;
    e->high = end;
    return true;
}

static bool read_program_header(struct elf *e, const Elf64_Phdr *p, struct err *err)
{
    switch (p->p_type) {
    case PT_LOAD: return !p->p_memsz || add_segment(e, p, err);
    case PT_INTERP:
        if (p->p_filesz < 2 || p->p_filesz > PAGE || p->p_offset > HIGHEST)
            return err_set(err, "the name of its interpreter has an impossible size");
        e->interpreter_at = p->p_offset;
        e->interpreter_size = p->p_filesz;
        return true;
    case PT_PHDR: e->headers = p->p_vaddr; return true;
    default: return true;
    }
}

// Without a header that says where the headers are, they are in the segment that holds that part
// of the file.
static void find_headers(struct elf *e, u64 offset)
{
    for (u32 i = 0; i < e->n_segments && !e->headers; i++) {
        const struct elf_segment *s = e->segments + i;
        if (offset >= s->offset && offset - s->offset < s->file_size)
            e->headers = s->address + (offset - s->offset);
    }
}

bool elf_parse(struct elf *e, const u8 *head, u64 size, struct err *err)
{
    Elf64_Ehdr h;
    Elf64_Phdr p;
    memset(e, 0, sizeof(*e));
    memset(&h, 0, sizeof(h));
    memcpy(&h, head, size < sizeof(h) ? size : sizeof(h));
    if (!check_header(&h, size, err))
        return false;
    for (u32 i = 0; i < h.e_phnum; i++) {
        memcpy(&p, head + h.e_phoff + i * sizeof(p), sizeof(p));
        if (!read_program_header(e, &p, err))
            return false;
    }
    if (!e->n_segments)
        return err_set(err, "nothing in it is to be loaded");
    find_headers(e, h.e_phoff);
    e->is_fixed = h.e_type == ET_EXEC;
    e->entry = h.e_entry;
    e->n_headers = h.e_phnum;
    e->header_size = sizeof(p);
    return true;
}
