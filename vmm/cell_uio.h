// SPDX-License-Identifier: Apache-2.0
// Interrupts of the management function, by Linux's own driver for user space (uio_pci_generic).
#pragma once

#include "base/err.h"

// Binds the function, whose folder in sysfs is `path`, to the driver if nobody has it, and opens
// its device: each interrupt makes it readable, and cell_uio_take makes it wait again. -1 with a
// message: this kernel has no such driver, or another one has the function.
int cell_uio_open(const char *path, struct err *e);
void cell_uio_take(int fd);
