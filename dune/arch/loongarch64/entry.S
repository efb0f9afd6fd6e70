// SPDX-License-Identifier: Apache-2.0
// What cannot be said in C: see entry.h.

    .text

// A signal that comes before the instruction `syscall` has done its work sends the thread to
// `restartable_abort`; one that comes behind it finds a result that stands.
    .globl restartable_call, restartable_begin, restartable_end, restartable_abort
    .type restartable_call, @function
restartable_call:
    move    $t0, $a0                // the flag
    move    $t1, $a2                // the arguments
    move    $a7, $a1
    ld.d    $a0, $t1, 0
    ld.d    $a1, $t1, 8
    ld.d    $a2, $t1, 16
    ld.d    $a3, $t1, 24
    ld.d    $a4, $t1, 32
    ld.d    $a5, $t1, 40
restartable_begin:
    ld.w    $t2, $t0, 0
    bnez    $t2, restartable_abort
    syscall 0
restartable_end:
    ret
restartable_abort:
    addi.d  $a0, $zero, -512
    ret

    .globl entry_spawn
    .type entry_spawn, @function
entry_spawn:                        // flags, stack, ptid, ctid, function, argument
    addi.d  $a1, $a1, -16
    st.d    $a4, $a1, 0
    st.d    $a5, $a1, 8
    move    $a4, $zero
    ori     $a7, $zero, 220
    syscall 0
    beqz    $a0, 1f
    ret
1:  move    $fp, $zero
    ld.d    $t0, $sp, 0
    ld.d    $a0, $sp, 8
    jirl    $ra, $t0, 0
    break   0

    .globl entry_switch
    .type entry_switch, @function
entry_switch:                       // stack, function, argument
    move    $sp, $a0
    move    $a0, $a2
    move    $fp, $zero
    jirl    $ra, $a1, 0
    break   0

    .globl entry_vanish
    .type entry_vanish, @function
entry_vanish:                       // flag that frees the stack, status
    dbar    0
    st.w    $zero, $a0, 0
    move    $a0, $a1
    ori     $a7, $zero, 93
    syscall 0
    break   0

    .section .note.GNU-stack, "", @progbits
