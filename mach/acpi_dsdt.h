// SPDX-License-Identifier: Apache-2.0
// The machine language of the board's DSDT, without the table's header.
#pragma once

#include "mach/bytes.h"

void acpi_dsdt_put(struct bytes *out);
