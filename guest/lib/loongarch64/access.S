# SPDX-License-Identifier: Apache-2.0
# See access.h. Loads are zero-extended.

    .section .text.access, "ax"
    .macro access name insn
    .globl  access_\name
access_\name:
    \insn
    ret
    .endm

    access load8, "ld.bu $a0, $a0, 0"
    access load16, "ld.hu $a0, $a0, 0"
    access load32, "ld.wu $a0, $a0, 0"
    access load64, "ld.d $a0, $a0, 0"
    access store8, "st.b $a1, $a0, 0"
    access store16, "st.h $a1, $a0, 0"
    access store32, "st.w $a1, $a0, 0"
    access store64, "st.d $a1, $a0, 0"
