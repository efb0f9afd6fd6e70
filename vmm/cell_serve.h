// SPDX-License-Identifier: Apache-2.0
// `lh cell serve`: the program behind a cell's virtio devices.
#pragma once

#include "vmm/cell.h"
#include "vmm/cell_compile.h"

// Serves the cell from a process in the background. True once it does; the cell may start then.
bool cell_serve_in_background(struct cell_job *j, const char *name);
// Waits until the program that served a cell of this name has left its files, a few seconds at most.
void cell_serve_wait_for_end(const char *name);
// Whether the description has anything to serve.
bool cell_serve_has_work(const struct cell_description *d);
