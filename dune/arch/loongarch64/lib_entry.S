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

// All general registers are in the frame already.
    .globl lib_trampoline
    .type lib_trampoline, @function
lib_trampoline:                     // frame, opaque, handler
    move    $s0, $a0
    addi.d  $sp, $sp, -2048
    bstrins.d $sp, $zero, 5, 0
    li.d    $s2, GUEST_VECTORS
    ld.w    $s2, $s2, 0
    movfcsr2gr $s3, $fcsr0
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    movcf2gr $t0, $fcc\n
    st.b    $t0, $sp, 1024 + \n
    .endr
    addi.d  $t0, $s2, -2
    beqz    $t0, 2f
    bnez    $s2, 1f
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    fst.d   $f\n, $sp, 32 * \n
    .endr
    b       3f
1:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    vst     $vr\n, $sp, 32 * \n
    .endr
    b       3f
2:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    xvst    $xr\n, $sp, 32 * \n
    .endr
3:  move    $a0, $s0
    jirl    $ra, $a2, 0
    addi.d  $t0, $s2, -2
    beqz    $t0, 2f
    bnez    $s2, 1f
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    fld.d   $f\n, $sp, 32 * \n
    .endr
    b       3f
1:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    vld     $vr\n, $sp, 32 * \n
    .endr
    b       3f
2:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    xvld    $xr\n, $sp, 32 * \n
    .endr
3:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    ld.b    $t0, $sp, 1024 + \n
    movgr2cf $fcc\n, $t0
    .endr
    movgr2fcsr $fcsr0, $s3
    move    $a0, $s0
    li.w    $a7, 0x4c480005         // LIB_RESUME
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
