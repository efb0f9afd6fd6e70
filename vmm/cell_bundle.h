// SPDX-License-Identifier: Apache-2.0
// Makes what the hypervisor starts with (include/longhouse/bundle.h).
#pragma once

#include "base/err.h"
#include "vmm/cell_options.h"

bool cell_bundle_write(const struct cell_options *o, struct err *e);
