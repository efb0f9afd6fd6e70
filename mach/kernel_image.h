// SPDX-License-Identifier: Apache-2.0
// What a kernel file holds: where its bytes go in guest-physical memory, and where it is entered.
//
// Pure parsing of a byte buffer: no machine, no files. Known forms:
//   EFI zboot   a distribution's vmlinuz: an EFI image packed with zstd or gzip
//   EFI image   the unpacked LoongArch Image
//   ELF         LoongArch64, by program headers: vmlinux and bare-metal programs
// Everything else is refused with a message that says what the file seems to be instead.
#pragma once

#include "base/types.h"
#include "base/err.h"

// An unpacked kernel is not larger than this; a packed one that would be is refused.
#define KERNEL_MAX_UNPACKED (256ULL << 20)
#define KERNEL_MAX_SEGMENTS 32

// Physical addresses have 48 bits; link addresses in the directly mapped windows carry the window's
// number above them.
#define KERNEL_PHYSICAL_MASK ((1ULL << 48) - 1)

struct kernel_segment {
    u64 base;       // guest-physical
    u64 size;       // in memory, > 0; bytes after the data are zero
    const u8 *data; // borrowed from the parsed buffer or from kernel_image.unpacked
    u64 data_size;  // <= size
};

struct kernel_image {
    const char *form; // "EFI zboot image (zstd)", "EFI image", "ELF program"
    u64 entry;        // guest-physical, a multiple of 4, inside a segment
    struct kernel_segment segments[KERNEL_MAX_SEGMENTS]; // ascending, without overlaps
    unsigned n_segments;
    u8 *unpacked; // owned; NULL if nothing was packed
    size_t unpacked_size;
    const u8 *packed; // borrowed: the parsed buffer; NULL if nothing was packed
    size_t packed_size;
    bool is_let_go;
};

// `data` must stay as long as the image is used. On false, `k` holds nothing to free. Messages do
// not name the file: the caller puts it in front.
bool kernel_image_parse(struct kernel_image *k, const u8 *data, size_t size, struct err *e);
// Only that `data` is an EFI program for LoongArch64, which firmware can start. Same messages.
bool kernel_image_check_efi(const u8 *data, size_t size, struct err *e);

// Gives what was unpacked back to the host: until it is renewed, segments have unknown data.
// Nothing happens where nothing was packed.
void kernel_image_let_go(struct kernel_image *k);
// Unpacks again what was let go, to where it was.
void kernel_image_renew(struct kernel_image *k);

void kernel_image_free(struct kernel_image *k);
