// SPDX-License-Identifier: Apache-2.0
// The extended I/O interrupt controller of a cell, all of it virtual: 256 vectors, routed to the
// cell's vCPUs (3A5000 manual, 11.2). Any processor of the cell may call.
#pragma once

#include "hv/hv.h"

// The level of a device's vector; vector 0 is none. The vCPUs that it concerns are told.
void vintc_set_line(struct cell *c, u32 vector, bool level);
// A message: the vector is pending until it is cleared.
void vintc_send(struct cell *c, u32 vector);
// Which of HWI0-7 the controller drives at a vCPU.
u32 vintc_pins(struct cell *c, u32 vcpu);

// Registers, by the address of their aligned 64-bit word in I/O configuration space. `mask` has the
// bits that are written. False: no register of the controller.
bool vintc_read(struct cell *c, u32 vcpu, u32 address, u64 *value);
bool vintc_write(struct cell *c, u32 vcpu, u32 address, u64 value, u64 mask);
