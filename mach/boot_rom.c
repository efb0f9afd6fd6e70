// SPDX-License-Identifier: Apache-2.0
#include "mach/boot_rom.h"

#include "base/bits.h"

#include <string.h>

// The waiting cores: mailboxes are zero after reset and are not cleared here, because core 0 may
// already be far ahead. `idle` wakes for a line that ECFG enables although interrupts stay off.
static const u32 code[] = {
    0x0400800c, // 00          csrrd     $t0, CPUID
    0x180003ed, // 04          pcaddi    $t1, 31          # 0x80: the entry
    0x44001980, // 08          bnez      $t0, park
    0x28c001a4, // 0c          ld.d      $a0, $t1, 0
    0x28c021a5, // 10          ld.d      $a1, $t1, 8
    0x28c041a6, // 14          ld.d      $a2, $t1, 16
    0x28c061ac, // 18          ld.d      $t0, $t1, 24
    0x4c000180, // 1c          jr        $t0
    0x1400002d, // 20  park:   lu12i.w   $t1, 1           # 0x1000: ECFG.LIE of the IPI line,
    0x001501ac, // 24          move      $t0, $t1         #         and base of the IPI registers
    0x040011ac, // 28          csrxchg   $t0, $t1, ECFG
    0x02bffc0e, // 2c          addi.w    $t2, $zero, -1
    0x028011ac, // 30          addi.w    $t0, $t1, 0x04
    0x0648198e, // 34          iocsrwr.w $t2, $t0         # EN = all
    0x06488000, // 38  sleep:  idle      0
    0x064809ae, // 3c          iocsrrd.w $t2, $t1         # STATUS
    0x43fff9df, // 40          beqz      $t2, sleep
    0x028031ac, // 44          addi.w    $t0, $t1, 0x0c
    0x0648198e, // 48          iocsrwr.w $t2, $t0         # CLEAR
    0x028081ac, // 4c          addi.w    $t0, $t1, 0x20
    0x06480d8e, // 50          iocsrrd.d $t2, $t0         # MBOX0
    0x43ffe5df, // 54          beqz      $t2, sleep
    0x4c0001c0, // 58          jr        $t2
};

#define ENTRY_AT 0x80 // a0, a1, a2, pc

static u64 rom_read(void *opaque, u64 offset, unsigned size)
{
    const struct boot_rom *r = opaque;
    return load_le(r->code + offset, size);
}

static void rom_write(void *opaque, u64 offset, u64 value, unsigned size)
{
}

static const struct mem_io_ops rom_ops = {.read = rom_read, .write = rom_write};

void boot_rom_map(struct boot_rom *r, struct mem_space *m, gpa_t base,
                  const struct boot_entry *entry)
{
    memset(r->code, 0, sizeof(r->code));
    for (size_t i = 0; i < ARRAY_LEN(code); i++)
        store_le(r->code + 4 * i, code[i], 4);
    for (size_t i = 0; i < ARRAY_LEN(entry->args); i++)
        store_le(r->code + ENTRY_AT + 8 * i, entry->args[i], 8);
    store_le(r->code + ENTRY_AT + 24, entry->pc, 8);
    r->region = (struct mem_region){.base = base,
                                    .size = BOOT_ROM_SIZE,
                                    .ops = &rom_ops,
                                    .opaque = r,
                                    .name = "boot-rom",
                                    .direct = r->code,
                                    .is_direct = true};
    mem_add_region(m, &r->region);
}
