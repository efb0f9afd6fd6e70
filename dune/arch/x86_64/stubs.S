// SPDX-License-Identifier: Apache-2.0
// The few instructions of ours that a guest executes, copied into its pages. See layout.h for
// where each has to be.

    .section .rodata
    .code64

// At GUEST_RETURNS.
    .balign 16
    .globl stub_returns, stub_returns_end
stub_returns:
    hlt                             // GUEST_SYSCALL: ring 0 after `syscall`
    sysretq                         // GUEST_SYSRET
    .balign 16
    iretq                           // GUEST_IRET
    .balign 16
    push    %rax                    // GUEST_UPCALL: rax below the processor's frame, the address in
    mov     %cr2, %rax              // it, and back by the frame below that; vcpu.c undoes it
    sub     $40, %rsp
    iretq
stub_returns_end:

// At GUEST_ENTRY_PAGE. The absolute address is GUEST_DOOR_PAGE.
    .balign 64
    .globl stub_entry, stub_entry_end
stub_entry:
    syscall                         // GUEST_PROBE
    ud2
    .balign 64
    movabs %al, 0x500000200000      // GUEST_DOOR_CODE: ring 3 after `syscall`, on some hosts
    jmp *%rcx
stub_entry_end:

    .section .note.GNU-stack, "", @progbits
