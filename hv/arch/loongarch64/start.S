// SPDX-License-Identifier: Apache-2.0
// Where a loader begins that enters the hypervisor directly: physical addresses, one processor.
    .section .text.start, "ax"
    .globl _start
_start:
    move    $a3, $zero
    bl      find_area
    la.pcrel $t0, boot_first
    lu52i.d $t8, $zero, -0x700      # 0x9000 << 48
    or      $t0, $t0, $t8
    move    $a3, $tp
    jirl    $ra, $t0, 0             # boot_first(is_efi, command line, system table, cpu)
