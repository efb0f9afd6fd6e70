# SPDX-License-Identifier: Apache-2.0
# Refill handlers for the shapes of page_table.c. They run with translation off; SAVE7 counts.
    .set CSR_PGD, 0x1b
    .set CSR_SAVE7, 0x37
    .set CSR_TLBRSAVE, 0x8b

    .macro refill levels:vararg
    csrwr   $t0, CSR_TLBRSAVE
    csrrd   $t0, CSR_SAVE7
    addi.d  $t0, $t0, 1
    csrwr   $t0, CSR_SAVE7
    csrrd   $t0, CSR_PGD
    .irp level, \levels
    lddir   $t0, $t0, \level
    .endr
    ldpte   $t0, 0
    ldpte   $t0, 1
    tlbfill
    csrrd   $t0, CSR_TLBRSAVE
    ertn
    .endm

    .section .text.vectors, "ax"
    .balign 0x1000
    .globl  page_table_refill_16k
page_table_refill_16k:
    refill  3, 1

    .balign 0x1000
    .globl  page_table_refill_4k
page_table_refill_4k:
    refill  3, 2, 1
