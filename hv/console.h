// SPDX-License-Identifier: Apache-2.0
// A cell's serial port: a 16550 whose other end is a pair of rings that the root cell reads and
// writes by commands. What nobody reads is overwritten.
#pragma once

#include "hv/hv.h"

void console_add(struct cell *c, u64 gpa, u32 vector);
// Registers as after reset; what has been printed stays.
void console_reset(struct cell *c);
// Copies what came from the cell since `position`, and moves that. Returns the number of bytes.
u32 console_read(struct cell *c, u64 *position, u8 *to, u32 size);
// Types into the cell, with a break of the line before it if asked for. Returns how many bytes there
// was room for.
u32 console_write(struct cell *c, const u8 *from, u32 size, bool has_break);
