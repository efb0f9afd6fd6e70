# SPDX-License-Identifier: Apache-2.0
# Entries of the first processor (direct boot) and of the others (mailbox 0). Both come with
# translation off and a physical PC. With translation off the upper address bits do not count, so
# the jump into the window works before the window is open.
#include "guest/lib/loongarch64/stack.h"

    .macro to_window reg
    lu12i.w $t8, 0
    lu52i.d $t8, $t8, -0x700        # 0x9000 << 48
    or      \reg, \reg, $t8
    .endm

    .section .text.start, "ax"
    .globl _start
_start:
    la.pcrel $sp, stacks + STACK_SIZE
    to_window $sp
    la.pcrel $t0, start_first
    to_window $t0
    move    $fp, $zero
    jr      $t0                     # start_first(is_efi, command line, system table)

    .globl start_other
start_other:
    csrrd   $a0, 0x20               # CPUID
    bstrpick.d $a0, $a0, 8, 0
    addi.d  $t1, $a0, 1
    li.d    $t2, STACK_SIZE
    mul.d   $t1, $t1, $t2
    la.pcrel $sp, stacks
    add.d   $sp, $sp, $t1
    to_window $sp
    la.pcrel $t0, start_second
    to_window $t0
    move    $fp, $zero
    jr      $t0                     # start_second(index)

    .section .stacks, "aw", @nobits
    .balign 16
    .globl stacks
stacks:
    .space  STACK_SIZE * MAX_CPUS
