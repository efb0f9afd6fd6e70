// SPDX-License-Identifier: Apache-2.0
// Ways into and out of guest mode for a process that goes there by itself. `struct uregs` begins
// with rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp, then r8 to r15, rip, rflags.
#define EXTRA_XSAVE 64 // of struct vcpu_extra

    .text

    .globl lib_call_on_stack
    .type lib_call_on_stack, @function
lib_call_on_stack:                  // stack, function, opaque
    lea     -160(%rdi), %rdi        // room for struct uregs, 16-aligned
    movq    $0, 0(%rdi)
    mov     %rbx, 8(%rdi)
    mov     %rbp, 56(%rdi)
    mov     %r12, 96(%rdi)
    mov     %r13, 104(%rdi)
    mov     %r14, 112(%rdi)
    mov     %r15, 120(%rdi)
    mov     (%rsp), %rax            // as if this had returned
    mov     %rax, 128(%rdi)
    lea     8(%rsp), %rax
    mov     %rax, 48(%rdi)
    movq    $0x202, 136(%rdi)
    mov     %rdi, %rsp
    mov     %rsi, %rax
    mov     %rdx, %rsi
    xor     %ebp, %ebp
    call    *%rax
    ud2

    .globl lib_leave
    .type lib_leave, @function
lib_leave:                          // registers, extra, flag, mask; what functions destroy may be lost
    mov     48(%rdi), %rsp
    push    128(%rdi)               // rip; nothing of lib_door's is below its stack pointer
    push    %rcx
    mov     8(%rdi), %rbx
    mov     56(%rdi), %rbp
    mov     96(%rdi), %r12
    mov     104(%rdi), %r13
    mov     112(%rdi), %r14
    mov     120(%rdi), %r15
    fldcw   EXTRA_XSAVE(%rsi)
    ldmxcsr EXTRA_XSAVE + 24(%rsi)
    movl    $0, (%rdx)
    mov     $14, %eax               // rt_sigprocmask
    mov     $2, %edi                // SIG_SETMASK
    mov     %rsp, %rsi
    xor     %edx, %edx
    mov     $8, %r10d
    syscall
    add     $8, %rsp
    pop     %r11
    xor     %eax, %eax
    jmp     *%r11

    .globl lib_door
    .type lib_door, @function
lib_door:                           // number, up to six arguments
    mov     %rdi, %rax
    mov     %rsi, %rdi
    mov     %rdx, %rsi
    mov     %rcx, %rdx
    mov     %r8, %r10
    mov     %r9, %r8
    mov     8(%rsp), %r9
    syscall
    ret

    .globl lib_trampoline
    .type lib_trampoline, @function
lib_trampoline:                     // frame, opaque, handler; all registers are in the frame
    mov     %rdi, %rbx
    mov     %rdx, %r12
    mov     %rsi, %r13
    mov     %rsp, %rbp
    sub     $4096, %rsp
    and     $-64, %rsp
    mov     %rsp, %r14
    lea     512(%r14), %rdi         // the header of the area has to be zero
    xor     %eax, %eax
    mov     $8, %ecx
    cld
    rep stosq
    mov     $-1, %eax
    mov     $-1, %edx
    xsave64 (%r14)
    mov     %rbx, %rdi
    mov     %r13, %rsi
    call    *%r12
    mov     $-1, %eax
    mov     $-1, %edx
    xrstor64 (%r14)
    mov     %rbx, %rdi
    mov     $0x4c480005, %eax       // LIB_RESUME
    syscall
    ud2

    .globl lib_upcall, lib_upcall_end
    .type lib_upcall, @function
lib_upcall:                         // rsp: struct area in upcall.c; rax: the address
    cmpl    $0, 0xa0(%rsp)          // state
    jne     upcall_live
    movl    $1, 0xa0(%rsp)
    mov     %rax, 0x90(%rsp)
    mov     %rbx, 8(%rsp)
    mov     %rcx, 16(%rsp)
    mov     %rdx, 24(%rsp)
    mov     %rsi, 32(%rsp)
    mov     %rdi, 40(%rsp)
    mov     %rbp, 56(%rsp)
    mov     %r8, 64(%rsp)
    mov     %r9, 72(%rsp)
    mov     %r10, 80(%rsp)
    mov     %r11, 88(%rsp)
    mov     %r12, 96(%rsp)
    mov     %r13, 104(%rsp)
    mov     %r14, 112(%rsp)
    mov     %r15, 120(%rsp)
    mov     0x1c8(%rsp), %rax       // struct top: rax, error, rip, flags, rsp
    mov     %rax, 0(%rsp)
    mov     0x1d0(%rsp), %rax
    mov     %rax, 0x98(%rsp)
    mov     0x1d8(%rsp), %rax
    mov     %rax, 128(%rsp)
    mov     0x1e8(%rsp), %rax
    mov     %rax, 136(%rsp)
    mov     0x1f0(%rsp), %rax
    mov     %rax, 48(%rsp)
    cld
    xor     %ebp, %ebp
    mov     %rsp, %r15
    mov     %rsp, %rdi
    call    upcall_decide
    cmp     $1, %rax
    jb      upcall_saved
    je      upcall_again
    mov     %rax, %rsp              // the frame, on the program's stack
    mov     %rax, %rbx
    mov     0xc8(%r15), %r12
    mov     0xd0(%r15), %r13
    movl    $2, 0xa0(%r15)
    cmpl    $0, 0xa4(%r15)          // a signal waits
    je      1f
    movl    $0, 0xa4(%r15)
    mov     $0x4c480000, %eax       // LIB_ACTIVE
    syscall
1:  sub     $4096, %rsp             // 64-aligned, as the frame is
    mov     %rsp, %r14
    lea     512(%r14), %rdi
    xor     %eax, %eax
    mov     $8, %ecx
    rep stosq
    mov     $-1, %eax
    mov     $-1, %edx
    xsave64 (%r14)
    mov     %rbx, %rdi
    mov     %r13, %rsi
    call    *%r12
    mov     %rbx, %rdi
    mov     %r15, %rsi
    call    upcall_finish
    mov     %rax, %r12
    mov     $-1, %eax
    mov     $-1, %edx
    xrstor64 (%r14)
    mov     %rbx, %rdi
    mov     %r12, %rsi
    test    %r12, %r12
    jnz     upcall_return
    mov     $0x4c480005, %eax       // LIB_RESUME
    syscall
    ud2

upcall_again:
    mov     %r15, %rdi
    mov     48(%r15), %rsi
upcall_return:                      // registers, rcx with flags and address on the stack; area in r15
    movl    $1, 0xa0(%r15)          // what is loaded from is below the stack: signals wait
    mov     %rsi, %rsp
    mov     %r15, %rcx
    mov     0(%rdi), %rax
    mov     8(%rdi), %rbx
    mov     24(%rdi), %rdx
    mov     32(%rdi), %rsi
    mov     56(%rdi), %rbp
    mov     64(%rdi), %r8
    mov     72(%rdi), %r9
    mov     80(%rdi), %r10
    mov     88(%rdi), %r11
    mov     96(%rdi), %r12
    mov     104(%rdi), %r13
    mov     112(%rdi), %r14
    mov     120(%rdi), %r15
    mov     40(%rdi), %rdi
    movl    $0, 0xa0(%rcx)
    cmpl    $0, 0xa4(%rcx)
    jne     2f
1:  pop     %rcx
    popfq
    ret     $128
2:  movl    $0, 0xa4(%rcx)
    push    %rax
    push    %r11
    mov     $0x4c480000, %eax       // LIB_ACTIVE
    syscall
    pop     %r11
    pop     %rax
    jmp     1b

upcall_live:
    mov     %rax, 0xa8(%rsp)
    mov     %rcx, 0xb0(%rsp)
    mov     %r11, 0xb8(%rsp)
    mov     $0x4c48000e, %eax       // LIB_FAULT
    syscall
    ud2
upcall_saved:
    mov     $0x4c48000f, %eax       // LIB_FAULT_SAVED
    syscall
    ud2
lib_upcall_end:

    .globl lib_compartment
    .type lib_compartment, @function
lib_compartment:                    // argument in rdi, function in rdx
    xor     %ebp, %ebp
    call    *%rdx
    mov     %rax, %rdi
    mov     $0x4c48000d, %eax       // LIB_SPACE_RETURN
    syscall
    ud2

    .section .note.GNU-stack, "", @progbits
