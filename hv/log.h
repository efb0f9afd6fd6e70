// SPDX-License-Identifier: Apache-2.0
// The hypervisor's messages: into a ring that the root cell reads, and while the machine starts
// also to the serial port, which afterwards is the root cell's.
#pragma once

#include "hv/hv.h"

__attribute__((format(printf, 2, 3))) void hv_log(struct hv *hv, const char *format, ...);
// Copies what is in the ring from `position`; moves it behind that. Returns the number of bytes.
u32 log_read(struct hv *hv, u64 *position, char *to, u32 size);
// Also to the serial port: for what ends everything.
__attribute__((format(printf, 2, 3))) void hv_shout(struct hv *hv, const char *format, ...);

// The platform's serial port; waits for it a bounded time.
void plat_print(const char *text);
