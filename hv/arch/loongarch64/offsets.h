// SPDX-License-Identifier: Apache-2.0
// Places that the entry code knows, in C and in assembly. A processor's stack ends where its struct
// cpu begins, and a root scratch register holds that address.
#pragma once

#define CPU_STACK_SIZE 0x4000
#define CPU_GPR        0
#define CPU_PENDING    280
#define CPU_HAS_EXTIOI 288
#define CPU_N_FAST     408
#define CPU_AREA_SIZE  0x8000 // stack and struct cpu

#define VECTOR_SPACING 5 // ECFG.VS: a slot holds 2^5 instructions
#define VECTOR_SIZE    128
#define N_VECTORS      78 // exceptions 0-63, then interrupts
#define VECTORS_ALIGN  0x4000
