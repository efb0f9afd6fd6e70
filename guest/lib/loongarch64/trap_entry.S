# SPDX-License-Identifier: Apache-2.0
# Entries of exceptions, and the call that survives one.
#include "guest/lib/loongarch64/stack.h"

    .set CSR_PRMD, 0x1
    .set CSR_ERA, 0x6
    .set CSR_SAVE0, 0x30
    .set CSR_TLBRSAVE, 0x8b
    .set CSR_MERRSAVE, 0x95

    # Slots are 4 << VS bytes apart, so with entries of two instructions any VS finds one. The
    # return address of the branch tells which.
    .section .text.vectors, "ax"
    .balign 0x10000
    .globl trap_vectors
trap_vectors:
    .rept   8192
    csrwr   $ra, CSR_SAVE0
    bl      trap_entry
    .endr

    .balign 0x1000
    .globl trap_refill_vector
trap_refill_vector:
    csrwr   $ra, CSR_TLBRSAVE
    bl      refill_entry

    .balign 0x1000
    .globl trap_error_vector
trap_error_vector:
    csrwr   $ra, CSR_MERRSAVE
    bl      error_entry

    .section .text.trap, "ax"
    .macro save_gprs save_csr
    addi.d  $sp, $sp, -FRAME_SIZE
    addi.d  $ra, $ra, -8
    st.d    $ra, $sp, FRAME_ENTRY
    csrrd   $ra, \save_csr
    .irp n, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    st.d    $r\n, $sp, FRAME_GPR + 8 * \n
    .endr
    st.d    $zero, $sp, FRAME_GPR
    addi.d  $t0, $sp, FRAME_SIZE
    st.d    $t0, $sp, FRAME_GPR + 8 * 3
    .endm

trap_entry:
    save_gprs CSR_SAVE0
    move    $a1, $zero
    b       dispatch

refill_entry:
    save_gprs CSR_TLBRSAVE
    li.w    $a1, 0x3f
    b       in_window

error_entry:
    save_gprs CSR_MERRSAVE
    li.w    $a1, 0x3e

    # The PC is physical; addresses that C takes shall be those of the window.
in_window:
    la.pcrel $t0, dispatch
    lu52i.d $t1, $zero, -0x700
    or      $t0, $t0, $t1
    jr      $t0

dispatch:
    st.d    $a1, $sp, FRAME_REFILL
    move    $a0, $sp
    bl      trap_dispatch
    .irp n, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld.d    $r\n, $sp, FRAME_GPR + 8 * \n
    .endr
    ld.d    $sp, $sp, FRAME_GPR + 8 * 3
    ertn

    # bool trap_enter(struct trap_recovery *r, u64 address, u64 prmd, const u64 arguments[3])
    # Returns once, by way of trap_dispatch, with what it left in $a0.
    .globl trap_enter
trap_enter:
    st.d    $sp, $a0, RECOVERY_SP
    st.d    $ra, $a0, RECOVERY_RA
    st.d    $fp, $a0, RECOVERY_FP
    st.d    $tp, $a0, RECOVERY_TP
    st.d    $r21, $a0, RECOVERY_R21
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8
    st.d    $s\n, $a0, RECOVERY_S0 + 8 * \n
    .endr
    csrwr   $a1, CSR_ERA
    csrwr   $a2, CSR_PRMD
    move    $t0, $a3
    ld.d    $a0, $t0, 0
    ld.d    $a1, $t0, 8
    ld.d    $a2, $t0, 16
    la.pcrel $ra, trap_leave
    ertn

    # Where the called function returns to, at its level.
    .globl trap_leave
trap_leave:
    syscall 0x7fff
