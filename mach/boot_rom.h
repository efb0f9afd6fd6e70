// SPDX-License-Identifier: Apache-2.0
// The code at the reset address of a machine that boots a kernel without firmware: core 0 enters
// the kernel, the others wait for their mailbox as firmware has them do.
#pragma once

#include "base/types.h"
#include "mem/space.h"

#define BOOT_ROM_SIZE 0x1000

struct boot_rom {
    struct mem_region region;
    u8 code[BOOT_ROM_SIZE];
};

// What core 0 finds when it leaves the ROM: translation off, interrupts off.
struct boot_entry {
    u64 pc;      // guest-physical
    u64 args[3]; // a0 to a2
};

// Adds the ROM at `base`. It lives as long as the machine.
void boot_rom_map(struct boot_rom *r, struct mem_space *m, gpa_t base,
                  const struct boot_entry *entry);
