// SPDX-License-Identifier: Apache-2.0
// The instructions of ours that a guest executes, copied into its pages: see layout.h. SAVE0 holds
// the address of the vCPU's mailbox, through the window; SAVE1 is free for use.
#include "dune/arch/loongarch64/layout.h"

#define CSR_PRMD     0x1
#define CSR_ESTAT    0x5
#define CSR_ERA      0x6
#define CSR_BADV     0x7
#define CSR_PGDL     0x19
#define CSR_PGD      0x1b
#define CSR_SAVE0    0x30
#define CSR_SAVE1    0x31
#define CSR_TLBRSAVE 0x8b
#define CSR_TLBRELO0 0x8c
#define CSR_TLBRELO1 0x8d
#define CSR_TLBREHI  0x8e

    .section .rodata
    .balign 16

// An exception of the program: its registers go into the mailbox, and the door is opened. The same
// way back is for every return, and all of it is in the mailbox, so that it may be begun again.
    .globl stub_exception, stub_door, stub_return, stub_exception_end
stub_exception:
    csrwr   $t0, CSR_SAVE1
    csrrd   $t0, CSR_SAVE0
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    st.d    $r\n, $t0, 8 * \n
    .endr
    csrrd   $t1, CSR_SAVE1
    st.d    $t1, $t0, 8 * 12
    csrrd   $t1, CSR_ERA
    st.d    $t1, $t0, BOX_PC
    csrrd   $t1, CSR_ESTAT
    st.d    $t1, $t0, BOX_ESTAT
    csrrd   $t1, CSR_BADV
    st.d    $t1, $t0, BOX_BADV
    csrrd   $t1, CSR_PRMD
    st.d    $t1, $t0, BOX_PRMD
    ori     $t1, $zero, 1
    st.d    $t1, $t0, BOX_AT_DOOR
    ld.d    $t2, $t0, BOX_DOOR
stub_door:
    .word   0x002b8102              // hvcl 0x102, or what the monitor puts here
stub_return:
    csrrd   $t0, CSR_SAVE0
    ld.d    $t1, $t0, BOX_FLUSH
    beqz    $t1, 2f
    st.d    $zero, $t0, BOX_FLUSH
    ld.d    $t1, $t0, BOX_ROOT
    csrwr   $t1, CSR_PGDL
    ld.d    $t1, $t0, BOX_ADDRESS
    beqz    $t1, 1f
    invtlb  0x6, $zero, $t1         // the pair of pages around an address
    b       2f
1:  invtlb  0x1, $zero, $zero       // all of this guest's
2:  ld.d    $t1, $t0, BOX_PC
    csrwr   $t1, CSR_ERA
    ori     $t1, $zero, 3
    csrwr   $t1, CSR_PRMD
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld.d    $r\n, $t0, 8 * \n
    .endr
    ld.d    $t0, $t0, 8 * 12
    ertn
stub_exception_end:

// Tables have zeros for what they do not show, where nothing may be read: pages without rights go
// into the TLB for them, and the exception that follows says what was wanted.
    .balign 16
    .globl stub_refill, stub_refill_end
stub_refill:
    csrwr   $t0, CSR_TLBRSAVE
    csrrd   $t0, CSR_PGD
    lddir   $t0, $t0, 3
    beqz    $t0, 1f
    lddir   $t0, $t0, 1
    beqz    $t0, 1f
    ldpte   $t0, 0
    ldpte   $t0, 1
    tlbfill
    csrrd   $t0, CSR_TLBRSAVE
    ertn
1:  csrwr   $t0, CSR_TLBRELO0
    move    $t0, $zero
    csrwr   $t0, CSR_TLBRELO1
    csrrd   $t0, CSR_TLBREHI
    srli.d  $t0, $t0, 6
    slli.d  $t0, $t0, 6
    ori     $t0, $t0, 14
    csrwr   $t0, CSR_TLBREHI
    tlbfill
    csrrd   $t0, CSR_TLBRSAVE
    ertn
stub_refill_end:

// At GUEST_ENTRY_PAGE. Unwinders know the first two instructions.
    .balign 64
    .globl stub_entry, stub_entry_end
stub_entry:
    ori     $a7, $zero, 139         // GUEST_SIGRETURN
    syscall 0
    .balign 64
    syscall 0                       // GUEST_PROBE
    break   0
    .balign 64
    .word   0                       // GUEST_VECTORS, which the monitor writes
stub_entry_end:

    .section .note.GNU-stack, "", @progbits
