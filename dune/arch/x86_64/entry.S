// SPDX-License-Identifier: Apache-2.0
// What cannot be said in C: see entry.h.

    .text

// A signal that comes before the instruction `syscall` has done its work sends the thread to
// `restartable_abort`; one that comes behind it finds a result that stands.
    .globl restartable_call, restartable_begin, restartable_end, restartable_abort
    .type restartable_call, @function
restartable_call:
    push    %rbx
    mov     %rdi, %rbx              // the flag
    mov     %rsi, %rax
    mov     %rdx, %r11              // the arguments
    mov     0(%r11), %rdi
    mov     8(%r11), %rsi
    mov     16(%r11), %rdx
    mov     24(%r11), %r10
    mov     32(%r11), %r8
    mov     40(%r11), %r9
restartable_begin:
    cmpl    $0, (%rbx)
    jne     restartable_abort
    syscall
restartable_end:
    pop     %rbx
    ret
restartable_abort:
    mov     $-512, %rax
    pop     %rbx
    ret

    .globl entry_spawn
    .type entry_spawn, @function
entry_spawn:                        // flags, stack, ptid, ctid, function, argument
    sub     $16, %rsi
    mov     %r8, 0(%rsi)
    mov     %r9, 8(%rsi)
    mov     %rcx, %r10
    xor     %r8d, %r8d
    mov     $56, %eax
    syscall
    test    %rax, %rax
    jz      1f
    ret
1:  xor     %ebp, %ebp
    pop     %rax
    pop     %rdi
    call    *%rax
    ud2

    .globl entry_switch
    .type entry_switch, @function
entry_switch:                       // stack, function, argument
    mov     %rdi, %rsp
    mov     %rdx, %rdi
    xor     %ebp, %ebp
    call    *%rsi
    ud2

    .globl entry_vanish
    .type entry_vanish, @function
entry_vanish:                       // flag that frees the stack, status
    movl    $0, (%rdi)
    mov     %esi, %edi
    mov     $60, %eax
    syscall
    ud2

    .globl entry_restorer
    .type entry_restorer, @function
entry_restorer:
    mov     $15, %eax
    syscall
    ud2

    .section .note.GNU-stack, "", @progbits
