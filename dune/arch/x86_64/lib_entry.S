// SPDX-License-Identifier: Apache-2.0
// Ways into and out of guest mode for a process that goes there by itself. `struct uregs` begins
// with rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp, then r8 to r15, rip, rflags.

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
lib_leave:                          // registers, unused; what `syscall` destroys may be destroyed here
    mov     %rdi, %rcx
    mov     48(%rcx), %rsp
    mov     128(%rcx), %r11         // rip, below the stack pointer's red zone it is not needed
    mov     8(%rcx), %rbx
    mov     24(%rcx), %rdx
    mov     32(%rcx), %rsi
    mov     40(%rcx), %rdi
    mov     56(%rcx), %rbp
    mov     64(%rcx), %r8
    mov     72(%rcx), %r9
    mov     80(%rcx), %r10
    mov     96(%rcx), %r12
    mov     104(%rcx), %r13
    mov     112(%rcx), %r14
    mov     120(%rcx), %r15
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
