# SPDX-License-Identifier: Apache-2.0
# Entries of the first processor and of the others. All come with translation off and a physical PC.
# With translation off the upper address bits do not count, so the jump into the window works
# before the window is open.
#
# A payload may also be the firmware: then all processors begin at _start, in flash. The first one
# copies the image to where it is linked, and the others wait as firmware lets them wait.
#include "guest/lib/loongarch64/stack.h"

    .set CSR_ECFG, 0x4
    .set CSR_CPUID, 0x20
    .set IPI_REGISTERS, 0x1000
    .set IPI_EN, 4
    .set IPI_CLEAR, 0xc
    .set IPI_MBOX0, 0x20
    .set FROM_RAM, 16

    .macro to_window reg
    lu52i.d $t8, $zero, -0x700      # 0x9000 << 48
    or      \reg, \reg, $t8
    .endm

    .section .text.start, "ax"
    .globl _start
_start:
    pcaddi  $t0, 0
    bstrpick.d $t0, $t0, 47, 0
    lu12i.w $t1, 0x200              # the physical address that payload.lds gives
    bne     $t0, $t1, from_flash
    .org    _start + FROM_RAM
from_ram:
    la.pcrel $sp, stacks + STACK_SIZE
    to_window $sp
    la.pcrel $t0, start_first
    to_window $t0
    move    $fp, $zero
    jr      $t0                     # start_first(is_efi, command line, system table)

from_flash:
    csrrd   $t2, CSR_CPUID
    bstrpick.d $t2, $t2, 8, 0
    bnez    $t2, park
    la.pcrel $t3, bss_begin
1:  ld.d    $t4, $t0, 0
    st.d    $t4, $t1, 0
    addi.d  $t0, $t0, 8
    addi.d  $t1, $t1, 8
    bltu    $t0, $t3, 1b
    dbar    0
    ibar    0
    move    $a0, $zero              # nobody gave a command line
    lu12i.w $t1, 0x200
    addi.d  $t1, $t1, FROM_RAM
    jr      $t1

park:
    lu12i.w $t1, 1                  # ECFG.LIE of the inter-processor interrupt; and IPI_REGISTERS
    move    $t0, $t1
    csrxchg $t0, $t1, CSR_ECFG
    addi.w  $t2, $zero, -1
    addi.d  $t0, $t1, IPI_EN
    iocsrwr.w $t2, $t0
2:  idle    0
    iocsrrd.w $t2, $t1
    beqz    $t2, 2b
    addi.d  $t0, $t1, IPI_CLEAR
    iocsrwr.w $t2, $t0
    addi.d  $t0, $t1, IPI_MBOX0
    iocsrrd.d $t2, $t0
    beqz    $t2, 2b
    jr      $t2

    .globl start_other
start_other:
    csrrd   $a0, CSR_CPUID
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
