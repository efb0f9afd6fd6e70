// SPDX-License-Identifier: Apache-2.0
// The words are what their comments say; la_virt_test.c runs them.
#include "mach/boot_rom.h"

#include "base/test.h"
#include "isa/loongarch64.h"

static const char *const listing[] = {
    "csrrd $t0, 32",
    "pcaddi $t1, 31",
    "bnez $t0, 24 # 0x1c000020",
    "ld.d $a0, $t1, 0",
    "ld.d $a1, $t1, 8",
    "ld.d $a2, $t1, 16",
    "ld.d $t0, $t1, 24",
    "jr $t0",
    "lu12i.w $t1, 1",
    "move $t0, $t1",
    "csrxchg $t0, $t1, 4",
    "addi.w $t2, $zero, -1",
    "addi.w $t0, $t1, 4",
    "iocsrwr.w $t2, $t0",
    "idle 0",
    "iocsrrd.w $t2, $t1",
    "beqz $t2, -8 # 0x1c000038",
    "addi.w $t0, $t1, 12",
    "iocsrwr.w $t2, $t0",
    "addi.w $t0, $t1, 32",
    "iocsrrd.d $t2, $t0",
    "beqz $t2, -28 # 0x1c000038",
    "jr $t2",
};

TEST(the_code_is_what_its_comments_say)
{
    static struct boot_rom rom;
    struct mem_space m;
    struct boot_entry entry = {.pc = 0x12e9000, .args = {1, 2, 0x123456789abcdef0}};
    mem_space_init(&m, NULL);
    boot_rom_map(&rom, &m, 0x1c000000, &entry);
    for (size_t i = 0; i < ARRAY_LEN(listing); i++) {
        char text[64];
        u64 pc = 0x1c000000 + 4 * i;
        la_disassemble((u32)mem_read(&m, pc, 4), pc, text, sizeof(text));
        CHECK_STR(text, listing[i]);
    }
    CHECK_EQ(mem_read(&m, 0x1c000080, 8), 1);
    CHECK_EQ(mem_read(&m, 0x1c000088, 8), 2);
    CHECK_EQ(mem_read(&m, 0x1c000090, 8), 0x123456789abcdef0);
    CHECK_EQ(mem_read(&m, 0x1c000098, 8), 0x12e9000);
    CHECK(mem_ram_page(&m, 0x1c000000, 0x1000, false) != NULL);
    CHECK(mem_ram_page(&m, 0x1c000000, 0x1000, true) == NULL);
    mem_space_free(&m);
}
