# SPDX-License-Identifier: Apache-2.0
# Into a guest and out of it, the vectors of both sides, and the guest's control registers by
# number. See lvz.h.
#include "guest/lib/loongarch64/lvz_offsets.h"

    .set CSR_CRMD, 0x0
    .set CSR_PRMD, 0x1
    .set CSR_ESTAT, 0x5
    .set CSR_ERA, 0x6
    .set CSR_BADV, 0x7
    .set CSR_BADI, 0x8
    .set CSR_TLBEHI, 0x11
    .set CSR_SAVE_RA, 0x32
    .set CSR_SAVE_VCPU, 0x33
    .set CSR_SAVE_A0, 0x34
    .set CSR_GSTAT, 0x50
    .set CSR_TLBRBADV, 0x89
    .set CSR_TLBRERA, 0x8a
    .set CSR_TLBRSAVE, 0x8b
    .set CSR_TLBREHI, 0x8e
    .set CSR_TLBRPRMD, 0x8f

    # As in trap_entry.S: any spacing of the vectors finds a slot, the return address tells which.
    .section .text.vectors, "ax"
    .balign 0x10000
    .globl lvz_vectors
lvz_vectors:
    .rept   8192
    csrwr   $ra, CSR_SAVE_RA
    bl      exit_ordinary
    .endr

    .balign 0x1000
    .globl lvz_refill_vector
lvz_refill_vector:
    csrwr   $ra, CSR_TLBRSAVE
    bl      exit_refill

    # The guest's: an exit at once, by an instruction that exits from every level.
    .balign 0x10000
    .globl lvz_guest_vectors
lvz_guest_vectors:
    .rept   16384
    .word   LVZ_WORD_EXCEPTION
    .endr
    .globl lvz_guest_refill_vector
lvz_guest_refill_vector:
    .word   LVZ_WORD_REFILL
    .balign 0x1000

    .section .text.lvz, "ax"
    .macro keep_csr number offset
    csrrd   $t0, \number
    st.d    $t0, $a0, \offset
    .endm

exit_refill:
    csrwr   $a0, CSR_SAVE_A0
    csrrd   $a0, CSR_TLBRSAVE
    csrwr   $a0, CSR_SAVE_RA
    csrrd   $a0, CSR_SAVE_VCPU
    st.d    $t0, $a0, VCPU_GPR + 8 * 12
    li.w    $t0, 1
    st.d    $t0, $a0, VCPU_REFILL
    b       exit_common

exit_ordinary:
    csrwr   $a0, CSR_SAVE_A0
    csrrd   $a0, CSR_SAVE_VCPU
    st.d    $t0, $a0, VCPU_GPR + 8 * 12
    st.d    $zero, $a0, VCPU_REFILL

exit_common:
    .irp n, 2, 3, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    st.d    $r\n, $a0, VCPU_GPR + 8 * \n
    .endr
    addi.d  $ra, $ra, -8
    st.d    $ra, $a0, VCPU_ENTRY
    keep_csr CSR_SAVE_RA, VCPU_GPR + 8 * 1
    keep_csr CSR_SAVE_A0, VCPU_GPR + 8 * 4
    keep_csr CSR_CRMD, VCPU_CRMD
    keep_csr CSR_PRMD, VCPU_PRMD
    keep_csr CSR_ESTAT, VCPU_ESTAT
    keep_csr CSR_ERA, VCPU_ERA
    keep_csr CSR_BADV, VCPU_BADV
    keep_csr CSR_BADI, VCPU_BADI
    keep_csr CSR_TLBEHI, VCPU_TLBEHI
    keep_csr CSR_GSTAT, VCPU_GSTAT
    keep_csr CSR_TLBRBADV, VCPU_TLBRBADV
    keep_csr CSR_TLBRERA, VCPU_TLBRERA
    keep_csr CSR_TLBREHI, VCPU_TLBREHI
    keep_csr CSR_TLBRPRMD, VCPU_TLBRPRMD
    ld.d    $ra, $a0, VCPU_HOST
    ld.d    $sp, $a0, VCPU_HOST + 8
    ld.d    $fp, $a0, VCPU_HOST + 16
    ld.d    $tp, $a0, VCPU_HOST + 24
    ld.d    $r21, $a0, VCPU_HOST + 32
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8
    ld.d    $s\n, $a0, VCPU_HOST + 40 + 8 * \n
    .endr
    ret

    # void lvz_enter(struct vcpu *v): the return that ertn makes is the caller's affair. Comes back
    # at the exit; after a refill of the root still in its context.
    .globl lvz_enter
lvz_enter:
    st.d    $ra, $a0, VCPU_HOST
    st.d    $sp, $a0, VCPU_HOST + 8
    st.d    $fp, $a0, VCPU_HOST + 16
    st.d    $tp, $a0, VCPU_HOST + 24
    st.d    $r21, $a0, VCPU_HOST + 32
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8
    st.d    $s\n, $a0, VCPU_HOST + 40 + 8 * \n
    .endr
    move    $t0, $a0
    csrwr   $t0, CSR_SAVE_VCPU
    .irp n, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld.d    $r\n, $a0, VCPU_GPR + 8 * \n
    .endr
    ld.d    $a0, $a0, VCPU_GPR + 8 * 4
    .globl lvz_enter_ertn
lvz_enter_ertn:
    ertn

    # Where guest functions return to.
    .balign 0x4
    .globl lvz_guest_return
lvz_guest_return:
    .word   LVZ_WORD_RETURN

    .set N, 0x600
    .section .text.gcsr_table, "ax"
    .balign 8
gcsr_reads:
    .set n, 0
    .rept N
    .word   0x05000000 | n << 10 | 4
    ret
    .set n, n + 1
    .endr
gcsr_writes:
    .set n, 0
    .rept N
    .word   0x05000020 | n << 10 | 4
    ret
    .set n, n + 1
    .endr
gcsr_exchanges:
    .set n, 0
    .rept N
    .word   0x05000000 | n << 10 | 5 << 5 | 4
    ret
    .set n, n + 1
    .endr

    .globl gcsr_read
gcsr_read:
    la.pcrel $t0, gcsr_reads
    alsl.d  $t0, $a0, $t0, 3
    jr      $t0

    .globl gcsr_write
gcsr_write:
    la.pcrel $t0, gcsr_writes
    alsl.d  $t0, $a0, $t0, 3
    move    $a0, $a1
    jr      $t0

    .globl gcsr_exchange
gcsr_exchange:
    la.pcrel $t0, gcsr_exchanges
    alsl.d  $t0, $a0, $t0, 3
    move    $a0, $a1
    move    $a1, $a2
    jr      $t0
