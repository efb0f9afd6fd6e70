// SPDX-License-Identifier: Apache-2.0
// A cell's power register: one byte.
//   write 0x34: the cell ends; 0x42: it starts again at its entry, with its memory as it is
//   read bit 0: the root cell asks it to end
#pragma once

#include "hv/hv.h"

void power_add(struct cell *c, u64 gpa);
