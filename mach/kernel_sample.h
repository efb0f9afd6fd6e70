// SPDX-License-Identifier: Apache-2.0
// Small kernel files, made byte by byte for tests.
#pragma once

#include "base/types.h"

// All return malloc'd files of *size bytes.

// A raw EFI image of `size` bytes linked at `base`, entered `entry` bytes into it.
u8 *sample_efi_image(size_t image_size, u64 base, u64 entry, size_t *size);
// `payload` packed as zboot with "zstd" or "gzip".
u8 *sample_zboot(const char *compression, const u8 *payload, size_t payload_size, size_t *size);

struct sample_segment {
    u64 vaddr, paddr;
    size_t file_size;
    u64 memory_size;
};

// A LoongArch64 program; segment i's bytes all have the value i + 1.
u8 *sample_elf(u64 entry, const struct sample_segment *segments, size_t n_segments, size_t *size);
