// SPDX-License-Identifier: Apache-2.0
// Files of the volume that the application was loaded from. Names that begin with a slash or a
// backslash are of the volume, others of the application's folder. Statuses are EFI's.
#pragma once

#include "hv/efi/efi.h"

#define PATH_SIZE 256 // characters, with the NUL

struct files {
    struct efi_boot_services *boot;
    void *image;
    struct efi_loaded_image *loaded;
    u16 path[PATH_SIZE]; // of the last name that was looked for
};

u64 files_open(struct files *f, struct efi_boot_services *boot, void *image);
// At most `size` bytes; *size becomes how many there are.
u64 files_read(struct files *f, const char *name, void *to, u64 *size);
// Loads a program and starts it with these load options, if they are not empty; its status.
u64 files_start(struct files *f, const char *name, const char *options);
