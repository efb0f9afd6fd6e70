// SPDX-License-Identifier: Apache-2.0
#include "dune/elf.h"
#include "base/test.h"

#include <elf.h>
#include <sys/mman.h>

struct file {
    Elf64_Ehdr head;
    Elf64_Phdr parts[4];
};

static struct file good(void)
{
    struct file f = {.head = {.e_type = ET_DYN,
                              .e_machine = EM_X86_64,
                              .e_version = 1,
                              .e_entry = 0x1040,
                              .e_phoff = sizeof(Elf64_Ehdr),
                              .e_phentsize = sizeof(Elf64_Phdr),
                              .e_phnum = 4}};
    memcpy(f.head.e_ident, ELFMAG, 4);
    f.head.e_ident[EI_CLASS] = ELFCLASS64;
    f.head.e_ident[EI_DATA] = ELFDATA2LSB;
    f.parts[0] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = 600, .p_filesz = 28};
    f.parts[1] = (Elf64_Phdr){
        .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = 0x1200, .p_memsz = 0x1200};
    f.parts[2] = (Elf64_Phdr){.p_type = PT_LOAD,
                              .p_flags = PF_R | PF_W,
                              .p_offset = 0x1e10,
                              .p_vaddr = 0x3e10,
                              .p_filesz = 0x100,
                              .p_memsz = 0x1500};
    f.parts[3] = (Elf64_Phdr){.p_type = PT_NOTE};
    return f;
}

static const char *refusal(const struct file *f, u64 size)
{
    static struct err e;
    struct elf elf;
    e = (struct err){0};
    return elf_parse(&elf, (const u8 *)f, size, &e) ? "" : e.text;
}

TEST(a_position_independent_program)
{
    struct file f = good();
    struct elf e;
    struct err err = {0};
    REQUIRE(elf_parse(&e, (const u8 *)&f, sizeof(f), &err));
    CHECK(!e.is_fixed);
    CHECK_EQ(e.low, 0);
    CHECK_EQ(e.high, 0x6000);
    CHECK_EQ(e.n_segments, 2);
    CHECK_EQ(e.segments[0].prot, PROT_READ | PROT_EXEC);
    CHECK_EQ(e.segments[1].address, 0x3e10);
    CHECK_EQ(e.interpreter_at, 600);
    CHECK_EQ(e.headers, sizeof(Elf64_Ehdr));
    CHECK_EQ(e.n_headers, 4);
}

TEST(a_program_at_fixed_addresses)
{
    struct file f = good();
    struct elf e;
    struct err err = {0};
    f.head.e_type = ET_EXEC;
    f.parts[0].p_type = PT_PHDR, f.parts[0].p_vaddr = 0x400040;
    f.parts[1].p_vaddr = 0x400000;
    f.parts[2].p_vaddr = 0x403e10;
    REQUIRE(elf_parse(&e, (const u8 *)&f, sizeof(f), &err));
    CHECK(e.is_fixed);
    CHECK_EQ(e.low, 0x400000);
    CHECK_EQ(e.headers, 0x400040);
    CHECK_EQ(e.interpreter_size, 0);
}

TEST(what_is_no_program)
{
    struct file f = good();
    CHECK_STR(refusal(&f, 10), "not an ELF program");
    f.head.e_machine = EM_LOONGARCH;
    CHECK(strstr(refusal(&f, sizeof(f)), "another architecture (machine 258, 64 bits)"));
    f = good();
    f.head.e_ident[EI_CLASS] = ELFCLASS32;
    CHECK(strstr(refusal(&f, sizeof(f)), "32 bits"));
    f = good();
    f.head.e_type = ET_REL;
    CHECK(strstr(refusal(&f, sizeof(f)), "type 1, which is no program"));
    f = good();
    f.parts[1].p_type = f.parts[2].p_type = PT_NOTE;
    CHECK(strstr(refusal(&f, sizeof(f)), "nothing in it"));
}

TEST(headers_that_lie)
{
    struct file f = good();
    f.head.e_phoff = 1 << 20;
    CHECK(strstr(refusal(&f, sizeof(f)), "at the beginning"));
    f = good();
    f.head.e_phnum = 5;
    CHECK(strstr(refusal(&f, sizeof(f)), "at the beginning"));
    f = good();
    f.head.e_phentsize = 32;
    CHECK(strstr(refusal(&f, sizeof(f)), "usual size"));
    f = good();
    f.parts[2].p_vaddr = 0x800;
    CHECK(strstr(refusal(&f, sizeof(f)), "cannot be mapped"));
    f.parts[2].p_offset = 0x800;
    CHECK(strstr(refusal(&f, sizeof(f)), "overlaps"));
    f = good();
    f.parts[2].p_memsz = ~0ULL;
    CHECK(strstr(refusal(&f, sizeof(f)), "cannot be mapped"));
    f = good();
    f.parts[1].p_filesz = f.parts[1].p_memsz + 1;
    CHECK(strstr(refusal(&f, sizeof(f)), "cannot be mapped"));
    f = good();
    f.parts[0].p_filesz = 1 << 20;
    CHECK(strstr(refusal(&f, sizeof(f)), "interpreter"));
}
