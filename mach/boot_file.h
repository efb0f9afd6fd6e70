// SPDX-License-Identifier: Apache-2.0
// A file that a machine boots from, read whole, so that a reset does not depend on the disk any
// more.
#pragma once

#include "base/types.h"
#include "base/err.h"

struct boot_file {
    u8 *data; // owned
    size_t size;
};

// `what` and the path begin every message: "kernel 'a': cannot open: ...". Files that are empty or
// larger than `max_size` are refused. On false there is nothing to free.
bool boot_file_read(struct boot_file *f, const char *what, const char *path, u64 max_size,
                    struct err *e);
void boot_file_free(struct boot_file *f);
