// SPDX-License-Identifier: Apache-2.0
// Between the monitor and a program on the host's processor: see native.c.

    .text

    .globl native_enter
    .type native_enter, @function
native_enter:                       // where registers are kept, frame
    mov     %rbx, 0(%rdi)
    mov     %rbp, 8(%rdi)
    mov     %r12, 16(%rdi)
    mov     %r13, 24(%rdi)
    mov     %r14, 32(%rdi)
    mov     %r15, 40(%rdi)
    mov     %rsp, 48(%rdi)
    mov     %rsi, %rsp
    mov     $15, %eax               // rt_sigreturn
    .globl native_allowed, native_allowed_end
native_allowed:
    syscall
    ud2                             // the kernel compares the address behind the instruction
native_allowed_end:

    .globl native_leave
    .type native_leave, @function
native_leave:                       // where registers are kept
    mov     0(%rdi), %rbx
    mov     8(%rdi), %rbp
    mov     16(%rdi), %r12
    mov     24(%rdi), %r13
    mov     32(%rdi), %r14
    mov     40(%rdi), %r15
    mov     48(%rdi), %rsp
    ret

    .section .note.GNU-stack, "", @progbits
