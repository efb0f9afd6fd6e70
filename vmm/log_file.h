// SPDX-License-Identifier: Apache-2.0
// Where a machine's log goes: standard error, or the file of -D. What is logged while the machine
// is being built waits in memory, so that the file changes only if there is a machine.
#pragma once

#include "base/log.h"
#include "vmm/out_file.h"

#include <stdio.h>

struct log_file {
    struct log log;
    FILE *to; // standard error, the memory, or the file
    char *early;
    size_t early_size;
    struct out_file file;
};

// `path` may be NULL. `log.enabled` is the caller's to set. The file is opened, and not changed.
bool log_file_open(struct log_file *l, const char *path, struct err *e);
// From now on the file is written. No other thread logs meanwhile.
void log_file_begin(struct log_file *l);
// Accepts a zeroed one. What waited in memory is dropped if the file was never begun.
void log_file_close(struct log_file *l);
