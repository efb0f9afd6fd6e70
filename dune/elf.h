// SPDX-License-Identifier: Apache-2.0
// What an ELF file asks for, as far as starting it goes. Reads the bytes that it is given and
// nothing else.
#pragma once

#include "base/err.h"
#include "base/types.h"

enum { ELF_MAX_SEGMENTS = 32, ELF_HEAD = 4096 };

struct elf_segment {
    u64 address, memory_size, offset, file_size;
    u32 prot;
};

struct elf {
    bool is_fixed; // wants its own addresses
    u64 entry;     // in the file's addresses
    u64 low, high; // of all segments, whole pages
    u64 headers;   // the address at which the program headers are in memory, or 0
    u32 n_headers, header_size;
    u64 interpreter_at, interpreter_size; // in the file; size 0: none
    u32 n_segments;
    struct elf_segment segments[ELF_MAX_SEGMENTS];
};

// `head` is the first `size` bytes of the file, in which the program headers must lie.
bool elf_parse(struct elf *e, const u8 *head, u64 size, struct err *err);
// Whether the bytes are an ELF file at all.
bool elf_is_elf(const u8 *head, u64 size);
