// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vmm/cell.h"

// A cell's serial port on this terminal, until the cell ends or the user leaves. Standard input
// that is no terminal is typed into the cell, and its end does not end anything.
bool cell_console_run(struct cell_job *j, u32 cell, u32 generation);
bool cell_destroy_it(struct cell_job *j, u32 cell, const struct control_cell *info);
