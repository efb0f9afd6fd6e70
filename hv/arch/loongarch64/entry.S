// SPDX-License-Identifier: Apache-2.0
// Exits from guests and the way back; where processors begin that firmware sends here.
//
// The processor finds the exit's cause by itself: each has a slot of its own. A guest's exit comes
// with its registers live and interrupts off. Two paths save different amounts:
//   call  caller-saved registers only: interrupts, hypercalls; the compiler keeps the others
//   full  all registers, for exits that read or write any of them
// A third, the short one, is all of an exit that acknowledges an interrupt.
// $tp is the struct cpu as long as C runs; its stack ends there.
#include "hv/arch/loongarch64/offsets.h"

    .set CSR_PRMD, 0x1
    .set CSR_ERA, 0x6
    .set CSR_BADI, 0x8
    .set CSR_EENTRY, 0xc
    .set CSR_PGD, 0x1b
    .set CSR_CPUID, 0x20
    .set CSR_SAVE0, 0x30
    .set CSR_SAVE1, 0x31
    .set CSR_SAVE2, 0x32
    .set CSR_GSTAT, 0x50
    .set CSR_TLBRSAVE, 0x8b
    .set GSTAT_PVM_BIT, 2

    .macro to_window reg
    lu52i.d $t8, $zero, -0x700      # 0x9000 << 48
    or      \reg, \reg, $t8
    .endm

    // The area of processor $a3, as an address in the window, to $sp and $tp. Uses $t registers.
    .section .text.start, "ax"
    .globl find_area
find_area:
    la.pcrel $tp, cpu_areas
    to_window $tp
    li.w    $t1, CPU_AREA_SIZE
    mul.d   $t1, $t1, $a3
    add.d   $tp, $tp, $t1
    li.w    $t1, CPU_STACK_SIZE
    add.d   $tp, $tp, $t1
    move    $sp, $tp
    ret

    // By the mailbox.
    .globl start_other
start_other:
    csrrd   $a3, CSR_CPUID
    bstrpick.d $a3, $a3, 8, 0
    move    $a0, $a3
    bl      find_area
    la.pcrel $t0, boot_other
    to_window $t0
    move    $a1, $tp
    jirl    $ra, $t0, 0             # boot_other(id, cpu)

    .macro save_caller
    .irp n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21
    st.d    $r\n, $tp, CPU_GPR + 8 * \n
    .endr
    csrrd   $t0, CSR_SAVE1
    st.d    $t0, $tp, CPU_GPR + 8 * 2
    .endm
    .macro load_caller
    .irp n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 2
    ld.d    $r\n, $tp, CPU_GPR + 8 * \n
    .endr
    .endm
    .macro callee op
    .irp n, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    \op     $r\n, $tp, CPU_GPR + 8 * \n
    .endr
    .endm
    .macro check_guest
    csrrd   $t1, CSR_GSTAT
    andi    $t1, $t1, GSTAT_PVM_BIT
    beqz    $t1, root_fault
    move    $sp, $tp
    move    $a0, $tp
    .endm
    .macro slot path
    .balign VECTOR_SIZE
    csrwr   $tp, CSR_SAVE1
    csrrd   $tp, CSR_SAVE0
    b       \path
    .endm

    .section .text.vectors, "ax"
    .balign VECTORS_ALIGN
    .globl exit_vectors
exit_vectors:
    .set code, 0
    .rept   64
    .if code == 22
    slot    exit_sensitive
    .elseif code == 1 || code == 2 || code == 3 || code == 4
    slot    exit_full
    .elseif code == 23
    slot    exit_hypercall
    .else
    slot    exit_other
    .endif
    .set code, code + 1
    .endr
    .rept   N_VECTORS - 64
    slot    exit_interrupt
    .endr

    // While a processor waits in root: whatever wakes it leads behind the wait.
    .balign VECTORS_ALIGN
    .globl wait_vectors
wait_vectors:
    .rept   64
    slot    root_fault_waiting
    .endr
    .rept   N_VECTORS - 64
    .balign VECTOR_SIZE
    b       woken
    .endr

    // Stage 2, from tables at PGDL; an empty directory leads to pages of zeros. Nothing but $t0.
    .balign 0x1000
    .globl refill_vector
refill_vector:
    csrwr   $t0, CSR_TLBRSAVE
    csrrd   $t0, CSR_PGD
    lddir   $t0, $t0, 3
    lddir   $t0, $t0, 1
    ldpte   $t0, 0
    ldpte   $t0, 1
    tlbfill
    csrrd   $t0, CSR_TLBRSAVE
    ertn

    .section .text.exit, "ax"
exit_interrupt:
    save_caller
    check_guest
    ld.w    $t0, $tp, CPU_PENDING
    bnez    $t0, 1f
    bl      on_interrupt
    load_caller
    ertn
1:  callee  st.d                    # the vCPU may be stopped, and its registers looked at
    bl      on_interrupt
    callee  ld.d
    load_caller
    ertn

exit_hypercall:
    save_caller
    check_guest
    bl      on_hypercall
    load_caller
    ertn

exit_full:
    save_caller
    check_guest
    callee  st.d
    bl      on_sensitive
    callee  ld.d
    load_caller
    ertn

    // The short path: status of the machine's interrupt controller, 64 bits at a time, is read and
    // cleared without C and with three registers saved. Everything else goes on at exit_full.
exit_sensitive:
    st.d    $t0, $tp, CPU_GPR + 8 * 12
    st.d    $t1, $tp, CPU_GPR + 8 * 13
    st.d    $t2, $tp, CPU_GPR + 8 * 14
    csrrd   $t0, CSR_BADI
    bstrpick.d $t1, $t0, 31, 10
    lu12i.w $t2, 0x19
    ori     $t2, $t2, 0x203         # iocsrrd.d; iocsrwr.d is 4 more
    xor     $t1, $t1, $t2
    andi    $t2, $t1, 4
    bne     $t1, $t2, not_short
    ld.w    $t1, $tp, CPU_HAS_EXTIOI
    beqz    $t1, not_short
    bstrpick.d $t1, $t0, 9, 5
    la.pcrel $t2, read_register
    alsl.d  $t2, $t1, $t2, 3
    jirl    $t1, $t2, 0             # $t2 = the address
    lu12i.w $t1, 1
    ori     $t1, $t1, 0x800         # 0x1800, COREn_EXT_IOI_sr
    sub.d   $t1, $t2, $t1
    sltui   $t1, $t1, 32
    beqz    $t1, not_short
    bstrpick.d $t1, $t0, 12, 12
    andi    $t0, $t0, 31
    bnez    $t1, short_write
    iocsrrd.d $t1, $t2
    la.pcrel $t2, write_register
    alsl.d  $t2, $t0, $t2, 3
    jr      $t2
short_write:
    csrwr   $t2, CSR_SAVE2
    la.pcrel $t2, read_register
    alsl.d  $t2, $t0, $t2, 3
    jirl    $t1, $t2, 0             # $t2 = the value
    csrrd   $t1, CSR_SAVE2
    iocsrwr.d $t2, $t1
short_done:
    csrrd   $t0, CSR_ERA
    addi.d  $t0, $t0, 4
    csrwr   $t0, CSR_ERA
    ld.d    $t1, $tp, CPU_N_FAST
    addi.d  $t1, $t1, 1
    st.d    $t1, $tp, CPU_N_FAST
    ld.d    $t0, $tp, CPU_GPR + 8 * 12
    ld.d    $t1, $tp, CPU_GPR + 8 * 13
    ld.d    $t2, $tp, CPU_GPR + 8 * 14
    csrrd   $tp, CSR_SAVE1
    ertn
not_short:
    ld.d    $t0, $tp, CPU_GPR + 8 * 12
    ld.d    $t1, $tp, CPU_GPR + 8 * 13
    ld.d    $t2, $tp, CPU_GPR + 8 * 14
    b       exit_full

    // Eight bytes for each of the guest's registers: its value to $t2, back to $t1.
read_register:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    .if \n == 2
    csrrd   $t2, CSR_SAVE1
    .elseif \n == 12 || \n == 13 || \n == 14
    ld.d    $t2, $tp, CPU_GPR + 8 * \n
    .else
    move    $t2, $r\n
    .endif
    jr      $t1
    .endr
    // $t1 to it.
write_register:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    .if \n == 0
    nop
    .elseif \n == 2
    csrwr   $t1, CSR_SAVE1
    .elseif \n == 12 || \n == 13 || \n == 14
    st.d    $t1, $tp, CPU_GPR + 8 * \n
    .else
    move    $r\n, $t1
    .endif
    b       short_done
    .endr

exit_other:
    save_caller
    callee  st.d
    check_guest
    bl      on_other
    callee  ld.d
    load_caller
    ertn

root_fault_waiting:
    save_caller
root_fault:
    callee  st.d
    move    $sp, $tp
    move    $a0, $tp
    bl      on_root_fault

    // Into the guest with all registers of the frame.
    .globl arch_vcpu_enter
arch_vcpu_enter:
    move    $tp, $a0
    callee  ld.d
    load_caller
    ertn

    // Calls $a1 with the processor on an empty stack.
    .globl arch_cpu_abandon
arch_cpu_abandon:
    move    $sp, $a0
    move    $tp, $a0
    jirl    $ra, $a1, 0

    // Waits with interrupts on between the first and the last instruction only. An interrupt that
    // comes before `idle` goes to `woken` as well, so none is slept through.
    .globl wait_for_interrupt
wait_for_interrupt:
    la.pcrel $t0, wait_vectors
    csrwr   $t0, CSR_EENTRY
    ori     $t1, $zero, 4           # CRMD.IE
    move    $t2, $t1
    csrxchg $t2, $t1, 0
    idle    0
    csrxchg $zero, $t1, 0
woken_back:
    csrwr   $t0, CSR_EENTRY
    ret

woken:
    csrwr   $t1, CSR_SAVE1          # no register is free: this is any point of the wait
    la.pcrel $t1, woken_back
    csrwr   $t1, CSR_ERA
    csrrd   $t1, CSR_SAVE1
    csrwr   $zero, CSR_PRMD
    ertn

    // Every vector register, all flags and the control register of floating point.
    .globl scrub_lasx
scrub_lasx:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    xvreplgr2vr.d $xr\n, $zero
    .endr
    .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    xvreplgr2vr.d $xr\n, $zero
    .endr
    b       scrub_flags
    .globl scrub_fp
scrub_fp:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movgr2fr.d $f\n, $zero
    .endr
    .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    movgr2fr.d $f\n, $zero
    .endr
scrub_flags:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    movgr2cf $fcc\n, $zero
    .endr
    movgr2fcsr $fcsr0, $zero
    ret

    .section .bss.areas, "aw", @nobits
    .balign 0x4000
    .globl cpu_areas
cpu_areas:
    .space  CPU_AREA_SIZE * 8
