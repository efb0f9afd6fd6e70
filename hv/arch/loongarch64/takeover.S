// SPDX-License-Identifier: Apache-2.0
// The call that comes back as a guest: all registers are those of the vCPU from here on.
#include "hv/arch/loongarch64/offsets.h"

    .section .text, "ax"
    .globl takeover_enter
takeover_enter:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    st.d    $r\n, $a0, CPU_GPR + 8 * \n
    .endr
    move    $sp, $a0
    move    $tp, $a0
    b       takeover_finish         # (cpu, kept)
