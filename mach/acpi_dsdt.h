// SPDX-License-Identifier: Apache-2.0
// The machine language of the board's DSDT, without the table's header.
#pragma once

#include "mach/bytes.h"

// `serial_ports`: a bit for each that is told of.
void acpi_dsdt_put(struct bytes *out, u32 serial_ports);
