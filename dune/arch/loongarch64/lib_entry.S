// SPDX-License-Identifier: Apache-2.0
// Ways into and out of guest mode for a process that goes there by itself. `struct uregs` is the 32
// general registers and the address of the instruction.
#include "dune/arch/loongarch64/layout.h"

    .text

    .globl lib_call_on_stack
    .type lib_call_on_stack, @function
lib_call_on_stack:                  // stack, function, opaque
    addi.d  $t0, $a0, -272          // room for struct uregs, 16-aligned
    .irp n, 0, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20
    st.d    $zero, $t0, 8 * \n
    .endr
    .irp n, 1, 2, 3, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    st.d    $r\n, $t0, 8 * \n
    .endr
    st.d    $ra, $t0, 256           // as if this had returned
    move    $sp, $t0
    move    $a0, $t0
    move    $t1, $a1
    move    $a1, $a2
    move    $fp, $zero
    jirl    $ra, $t1, 0
    break   0

    .globl lib_leave
    .type lib_leave, @function
lib_leave:                          // registers, extra, flag, mask; what calls destroy may be lost
    ld.w    $t0, $a1, 0
    movgr2fcsr $fcsr0, $t0
    .irp n, 24, 25, 26, 27, 28, 29, 30, 31
    fld.d   $f\n, $a1, 16 + 32 * \n
    .endr
    ld.d    $t1, $a0, 256
    .irp n, 1, 2, 3, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld.d    $r\n, $a0, 8 * \n
    .endr
    addi.d  $sp, $sp, -16
    st.d    $t1, $sp, 8
    st.d    $a3, $sp, 0
    dbar    0
    st.w    $zero, $a2, 0
    ori     $a0, $zero, 2           // SIG_SETMASK
    move    $a1, $sp
    move    $a2, $zero
    ori     $a3, $zero, 8
    ori     $a7, $zero, 135         // rt_sigprocmask
    syscall 0
    ld.d    $t1, $sp, 8
    addi.d  $sp, $sp, 16
    move    $a0, $zero
    jr      $t1

    .globl lib_door
    .type lib_door, @function
lib_door:                           // number, up to six arguments
    move    $t0, $a0
    move    $a0, $a1
    move    $a1, $a2
    move    $a2, $a3
    move    $a3, $a4
    move    $a4, $a5
    move    $a5, $a6
    move    $a7, $t0
    syscall 0
    ret

// The widest floating-point registers that there are, in 1056 bytes at sp. Uses t0; s2 and s3 are
// for the way back. Causes of an exception that was answered would raise it again.
    .macro  every_register op, prefix
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    \op     $\prefix\n, $sp, 32 * \n
    .endr
    .endm

    .macro  choose_unit f, v, x
    addi.d  $t0, $s2, -2
    beqz    $t0, 2f
    bnez    $s2, 1f
    every_register \f, f
    b       3f
1:  every_register \v, vr
    b       3f
2:  every_register \x, xr
3:
    .endm

    .macro  save_units
    li.d    $s2, GUEST_VECTORS
    ld.w    $s2, $s2, 0
    movfcsr2gr $s3, $fcsr0
    andi    $t0, $s3, 0x1f
    slli.w  $t0, $t0, 24
    andn    $s3, $s3, $t0
    movgr2fcsr $fcsr0, $s3
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    movcf2gr $t0, $fcc\n
    st.b    $t0, $sp, 1024 + \n
    .endr
    choose_unit fst.d, vst, xvst
    .endm

    .macro  restore_units
    choose_unit fld.d, vld, xvld
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    ld.b    $t0, $sp, 1024 + \n
    movgr2cf $fcc\n, $t0
    .endr
    movgr2fcsr $fcsr0, $s3
    .endm

// All general registers are in the frame already.
    .globl lib_trampoline
    .type lib_trampoline, @function
lib_trampoline:                     // frame, opaque, handler
    move    $s0, $a0
    addi.d  $sp, $sp, -2048
    bstrins.d $sp, $zero, 5, 0
    save_units
    move    $a0, $s0
    jirl    $ra, $a2, 0
    restore_units
    move    $a0, $s0
    li.w    $a7, 0x4c480005         // LIB_RESUME
    syscall 0
    break   0

// From PLV0, with the vCPU's page, and nothing else: see upcall.c.
    .globl lib_upcall
    .type lib_upcall, @function
lib_upcall:
    move    $s0, $a0
    li.w    $t0, AREA_PAGE
    add.d   $sp, $a0, $t0
    move    $fp, $zero
    addi.d  $a0, $a0, AREA
    bl      upcall_decide
    beqz    $a0, upcall_saved
    addi.d  $t0, $a0, -1
    beqz    $t0, upcall_again
    move    $s1, $a0                // the frame, on the program's stack
    move    $sp, $a0
    ld.d    $s4, $s0, AREA_FUNCTION
    ld.d    $s5, $s0, AREA_OPAQUE
    ori     $t0, $zero, UPCALL_IN_HANDLER
    st.w    $t0, $s0, AREA_STATE
    ld.w    $t0, $s0, AREA_PENDING
    beqz    $t0, 1f
    st.w    $zero, $s0, AREA_PENDING
    li.w    $a7, 0x4c480000         // LIB_ACTIVE, and the signal with it
    syscall 0
1:  addi.d  $sp, $sp, -2048
    save_units
    move    $a0, $s1
    move    $a1, $s5
    jirl    $ra, $s4, 0
    move    $a0, $s1
    addi.d  $a1, $s0, AREA
    bl      upcall_finish
    move    $s4, $a0
    restore_units
    beqz    $s4, 2f
    ori     $t0, $zero, UPCALL_ENDS
    st.w    $t0, $s0, AREA_STATE
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32
    ld.d    $t0, $s1, 8 * \n
    st.d    $t0, $s0, AREA + 8 * \n
    .endr
    ld.d    $t0, $s1, 264           // the address
    st.d    $t0, $s0, AREA_FLUSH
2:  move    $a0, $s1
    li.w    $a7, 0x4c480005         // LIB_RESUME
    syscall 0
    break   0
upcall_again:
    ori     $t0, $zero, UPCALL_ENDS
    st.w    $t0, $s0, AREA_STATE
    b       2b
upcall_saved:
    li.w    $a7, 0x4c48000f         // LIB_FAULT_SAVED
    syscall 0
    break   0

    .globl lib_compartment
    .type lib_compartment, @function
lib_compartment:                    // argument, unused, function
    move    $fp, $zero
    jirl    $ra, $a2, 0
    li.w    $a7, 0x4c48000d         // LIB_SPACE_RETURN
    syscall 0
    break   0

    .section .note.GNU-stack, "", @progbits
