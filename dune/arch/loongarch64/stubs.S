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
    st.d    $t1, $t0, 8 * 13
    ld.d    $t1, $t0, BOX_UPCALL
    bnez    $t1, stub_upcall
stub_tell:
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
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
    beqz    $t1, 3f
    ld.d    $t1, $t0, BOX_ROOT
    csrwr   $t1, CSR_PGDL
    ld.d    $t1, $t0, BOX_ADDRESS
    beqz    $t1, 1f
    invtlb  0x6, $zero, $t1         // the pair of pages around an address
    b       2f
1:  invtlb  0x1, $zero, $zero       // all of this guest's
2:  st.d    $zero, $t0, BOX_FLUSH   // only now: a signal may have it all begun again
3:  ld.d    $t1, $t0, BOX_PC
    csrwr   $t1, CSR_ERA
    ld.d    $t1, $t0, BOX_LEVEL
    csrwr   $t1, CSR_PRMD
    addi.d  $t1, $zero, -1
    csrwr   $t1, CSR_BADV           // see ecode_of
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld.d    $r\n, $t0, 8 * \n
    .endr
    ld.d    $t0, $t0, 8 * 12
    ertn
stub_exception_end:

// A process that entered by itself may have a handler for it, which is called at once: at PLV3, with
// everything in the area. Not for what PLV0 does, and not while one is called already.
    .globl stub_upcall, stub_upcall_return, stub_end
stub_upcall:
    st.d    $t2, $t0, 8 * 14
    st.d    $t3, $t0, 8 * 15
    csrrd   $t1, CSR_ESTAT
    bstrpick.d $t1, $t1, 21, 16     // Ecode
    csrrd   $t2, CSR_PRMD
    andi    $t2, $t2, 3
    addi.d  $t2, $t2, -3
    bnez    $t2, 9f
    ld.d    $t2, $t0, BOX_PLAN
    ld.d    $t3, $t2, PLAN_CODES
    srl.d   $t3, $t3, $t1
    andi    $t3, $t3, 1
    beqz    $t3, 9f
    addi.d  $t3, $t1, -11           // SYS
    bnez    $t3, 1f
    sltui   $t3, $a7, PLAN_N_CALLS
    beqz    $t3, 2f
    add.d   $t2, $t2, $a7
    ld.bu   $t2, $t2, PLAN_CALLS
    beqz    $t2, 9f
1:  ld.w    $t2, $t0, AREA_STATE
    bnez    $t2, 9f
    ori     $t2, $zero, UPCALL_BEGINS
    st.w    $t2, $t0, AREA_STATE
    st.d    $t1, $t0, AREA_ECODE
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    st.d    $r\n, $t0, AREA + 8 * \n
    .endr
    .irp n, 13, 14, 15
    ld.d    $t1, $t0, 8 * \n
    st.d    $t1, $t0, AREA + 8 * \n
    .endr
    csrrd   $t1, CSR_SAVE1
    st.d    $t1, $t0, AREA + 8 * 12
    csrrd   $t1, CSR_BADV
    st.d    $t1, $t0, AREA_ADDRESS
    ld.d    $t1, $t0, AREA_ENTRY
    csrwr   $t1, CSR_ERA            // and what it was
    st.d    $t1, $t0, AREA_PC
    ld.d    $a0, $t0, BOX_UPCALL
    ertn

2:  li.w    $t2, 0x4c480005         // LIB_RESUME
    bne     $t2, $a7, 9f
    ld.w    $t2, $t0, AREA_STATE
    addi.d  $t2, $t2, -UPCALL_ENDS
    bnez    $t2, 9f
    ld.w    $t2, $t0, AREA_PENDING
    beqz    $t2, stub_upcall_return
9:  ld.d    $t2, $t0, 8 * 14
    ld.d    $t3, $t0, 8 * 15
    b       stub_tell

// From here on the monitor can do the rest: all of it is in the area.
stub_upcall_return:
    ld.d    $t1, $t0, AREA_FLUSH
    beqz    $t1, 1f
    invtlb  0x6, $zero, $t1
1:  ld.d    $t1, $t0, AREA_PC
    csrwr   $t1, CSR_ERA
    addi.d  $t1, $zero, -1
    csrwr   $t1, CSR_BADV
    st.w    $zero, $t0, AREA_STATE
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld.d    $r\n, $t0, AREA + 8 * \n
    .endr
    ld.d    $t0, $t0, AREA + 8 * 12
    ertn
stub_end:

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
