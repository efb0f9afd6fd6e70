// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vmm/cell.h"

// Who has which processors and which memory, as a picture: to -o FILE, or to standard output.
bool cell_picture(struct cell_job *j, const struct control_info *info,
                  const struct control_cell cells[CONTROL_MAX_CELLS]);
