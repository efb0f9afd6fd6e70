// SPDX-License-Identifier: Apache-2.0
// Numbers that lvz.h and lvz_enter.S share: offsets in struct vcpu, and the instructions by which
// guests come back. These are `cpucfg $zero, rj` with an unusual rj.
#pragma once

#define LVZ_WORD_RETURN    0x00006c40 // rj = $tp
#define LVZ_WORD_EXCEPTION 0x00006c60 // rj = $sp
#define LVZ_WORD_REFILL    0x00006ea0 // rj = $r21

#define VCPU_GPR      0 // 32 registers
#define VCPU_HOST     256
#define VCPU_REFILL   368
#define VCPU_ENTRY    376
#define VCPU_CRMD     384
#define VCPU_PRMD     392
#define VCPU_ESTAT    400
#define VCPU_ERA      408
#define VCPU_BADV     416
#define VCPU_BADI     424
#define VCPU_TLBEHI   432
#define VCPU_GSTAT    440
#define VCPU_TLBRBADV 448
#define VCPU_TLBRERA  456
#define VCPU_TLBREHI  464
#define VCPU_TLBRPRMD 472
