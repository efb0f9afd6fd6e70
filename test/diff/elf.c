// SPDX-License-Identifier: Apache-2.0
// The program as a static executable of three segments: code, pool, and scratch with the log
// behind.
#include "test/diff/program.h"

#include <elf.h>
#include <errno.h>
#include <unistd.h>

#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif

enum { N_SEGMENTS = 4, PAGE = 0x10000 };

static int write_at(int fd, const void *data, size_t size, u64 offset)
{
    const u8 *p = data;
    while (size) {
        ssize_t n = pwrite(fd, p, size, (off_t)offset);
        if (n < 0)
            return -errno;
        p += n;
        size -= (size_t)n;
        offset += (u64)n;
    }
    return 0;
}

int diff_program_write_elf(const struct diff_program *p, int fd)
{
    const struct {
        u64 va;
        const void *data;
        u64 size, memory_size;
        u32 flags;
    } segment[N_SEGMENTS] = {
        {DIFF_CODE_VA, p->code.data, p->code.size, p->code.size, PF_R | PF_X},
        {DIFF_POOL_VA, p->pool.data, p->pool.size, p->pool.size, PF_R},
        {DIFF_STACK_VA, NULL, 0, DIFF_STACK_SIZE, PF_R | PF_W},
        {DIFF_SCRATCH_VA, p->scratch, DIFF_SCRATCH_SIZE, DIFF_SCRATCH_SIZE + p->log_size,
         PF_R | PF_W},
    };
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr program[N_SEGMENTS];
    } elf = {
        .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
                               EV_CURRENT},
                   .e_type = ET_EXEC,
                   .e_machine = EM_LOONGARCH,
                   .e_version = EV_CURRENT,
                   .e_entry = DIFF_CODE_VA,
                   .e_phoff = sizeof(Elf64_Ehdr),
                   .e_flags = 0x43, // lp64d, object file version 1
                   .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = N_SEGMENTS},
    };
    u64 offset = PAGE;
    int e = 0;
    for (unsigned n = 0; n < N_SEGMENTS && !e; n++) {
        elf.program[n] = (Elf64_Phdr){.p_type = PT_LOAD,
                                      .p_flags = segment[n].flags,
                                      .p_offset = offset,
                                      .p_vaddr = segment[n].va,
                                      .p_paddr = segment[n].va,
                                      .p_filesz = segment[n].size,
                                      .p_memsz = segment[n].memory_size,
                                      .p_align = PAGE};
        e = write_at(fd, segment[n].data, segment[n].size, offset);
        offset = align_up(offset + segment[n].size, PAGE);
    }
    return e ? e : write_at(fd, &elf, sizeof(elf), 0);
}
