// SPDX-License-Identifier: Apache-2.0
// Between the monitor and a program on the host's processor: see native.c.

    .text

    .globl native_enter
    .type native_enter, @function
native_enter:                       // where registers are kept, frame
    st.d    $ra, $a0, 0
    st.d    $sp, $a0, 8
    .irp n, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    st.d    $r\n, $a0, 8 * (\n - 20)
    .endr
    move    $sp, $a1
    ori     $a7, $zero, 139         // rt_sigreturn
    .globl native_allowed, native_allowed_end
native_allowed:
    syscall 0
    break   0                       // the kernel compares the address behind the instruction
native_allowed_end:

    .globl native_leave
    .type native_leave, @function
native_leave:                       // where registers are kept
    ld.d    $ra, $a0, 0
    ld.d    $sp, $a0, 8
    .irp n, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld.d    $r\n, $a0, 8 * (\n - 20)
    .endr
    ret

// Of the program's handlers. Unwinders know these two instructions.
    .balign 16
    .globl native_sigreturn
native_sigreturn:
    ori     $a7, $zero, 139
    syscall 0

    .section .note.GNU-stack, "", @progbits
