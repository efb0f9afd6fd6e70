// SPDX-License-Identifier: Apache-2.0
// Single memory accesses as functions for trap_call: one instruction each at the address given.
#pragma once

#include "base/types.h"

#define INSN_RET 0x4c000020u // jirl $zero, $ra, 0: code for trap_call_at

u64 access_load8(u64 va, u64 b, u64 c);
u64 access_load16(u64 va, u64 b, u64 c);
u64 access_load32(u64 va, u64 b, u64 c);
u64 access_load64(u64 va, u64 b, u64 c);
u64 access_store8(u64 va, u64 value, u64 c);
u64 access_store16(u64 va, u64 value, u64 c);
u64 access_store32(u64 va, u64 value, u64 c);
u64 access_store64(u64 va, u64 value, u64 c);
