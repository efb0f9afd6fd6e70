// SPDX-License-Identifier: Apache-2.0
// A cell's power registers: four bytes that are all the same.
//   write 0x34: the cell ends; 0x42: it ends and asks to be started again
//   read bit 0: the root cell asks it to end
#pragma once

#include "hv/hv.h"

void power_add(struct cell *c, u64 gpa);
