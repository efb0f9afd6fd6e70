// SPDX-License-Identifier: Apache-2.0
// The parts of kernel_image_parse, one per file format. Not for others to call.
#pragma once

#include "mach/kernel_image.h"

#define PE_MACHINE_LOONGARCH64 0x6264
#define ELF_MACHINE_LOONGARCH  258

// kernel_elf.c: `data` begins with the ELF magic.
bool kernel_elf_parse(struct kernel_image *k, const u8 *data, size_t size, struct err *e);

// kernel_zboot.c: `data` begins with the zboot header. Unpacks the payload into k->unpacked, which
// is allocated if it is NULL, and sets k->form and k->unpacked_size, its exact size.
bool kernel_zboot_unpack(struct kernel_image *k, const u8 *data, size_t size, struct err *e);

// Only that the file has all of the payload.
bool kernel_zboot_check_size(const u8 *data, size_t size, struct err *e);

// kernel_foreign.c: what a file that is no LoongArch kernel seems to be, as an article and noun
// ("a gzip file"), and what to do about it; or NULL.
const char *kernel_foreign_name(const u8 *data, size_t size);
bool kernel_is_text(const u8 *data, size_t size);
const char *kernel_pe_machine_name(u16 machine);
const char *kernel_elf_machine_name(u16 machine);
