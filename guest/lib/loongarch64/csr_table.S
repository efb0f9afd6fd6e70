# SPDX-License-Identifier: Apache-2.0
# Every control register has its number in the instruction; here are the instructions for all
# numbers, to be chosen at run time. Each is followed by its return.

    .set N, 0x600

    .section .text.csr_table, "ax"
    .balign 8
csr_reads:
    .set n, 0
    .rept N
    csrrd   $a0, n
    ret
    .set n, n + 1
    .endr
csr_writes:
    .set n, 0
    .rept N
    csrwr   $a0, n
    ret
    .set n, n + 1
    .endr
csr_exchanges:
    .set n, 0
    .rept N
    csrxchg $a0, $a1, n
    ret
    .set n, n + 1
    .endr

    # u64 csr_read_n(unsigned number)
    .globl csr_read_n
csr_read_n:
    la.pcrel $t0, csr_reads
    alsl.d  $t0, $a0, $t0, 3
    jr      $t0

    # u64 csr_write_n(unsigned number, u64 value): the old value
    .globl csr_write_n
csr_write_n:
    la.pcrel $t0, csr_writes
    alsl.d  $t0, $a0, $t0, 3
    move    $a0, $a1
    jr      $t0

    # u64 csr_exchange_n(unsigned number, u64 value, u64 mask): the old value
    .globl csr_exchange_n
csr_exchange_n:
    la.pcrel $t0, csr_exchanges
    alsl.d  $t0, $a0, $t0, 3
    move    $a0, $a1
    move    $a1, $a2
    jr      $t0

    # const void *csr_read_code(unsigned number)
    .globl csr_read_code
csr_read_code:
    la.pcrel $t0, csr_reads
    alsl.d  $a0, $a0, $t0, 3
    ret
