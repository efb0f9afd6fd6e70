// SPDX-License-Identifier: Apache-2.0
// Numbers that C and assembly share: stacks and the frame of an exception.
#pragma once

#define MAX_CPUS   16
#define STACK_SIZE 0x10000

// Offsets in struct trap_frame.
#define FRAME_GPR    0 // 32 registers
#define FRAME_ENTRY  256
#define FRAME_REFILL 264
#define FRAME_SIZE   320

// Offsets in struct trap_recovery.
#define RECOVERY_SP   0
#define RECOVERY_RA   8
#define RECOVERY_FP   16
#define RECOVERY_TP   24
#define RECOVERY_R21  32
#define RECOVERY_S0   40 // to S8
#define RECOVERY_SIZE 112
