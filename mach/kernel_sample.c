// SPDX-License-Identifier: Apache-2.0
#include "mach/kernel_sample.h"

#include "base/bits.h"
#include "base/bug.h"
#include "mach/kernel_parse.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

static u8 *new_file(size_t size)
{
    u8 *file = calloc(1, size);
    BUG_ON(!file);
    return file;
}

static void put_pe_header(u8 *file)
{
    memcpy(file, "MZ", 2);
    store_le(file + 0x38, 0x818223cd, 4);
    store_le(file + 0x3c, 0x40, 4);
    memcpy(file + 0x40, "PE", 2);
    store_le(file + 0x44, PE_MACHINE_LOONGARCH64, 2);
}

u8 *sample_efi_image(size_t image_size, u64 base, u64 entry, size_t *size)
{
    u8 *file = new_file(image_size);
    put_pe_header(file);
    store_le(file + 8, base + entry, 8);
    store_le(file + 16, image_size + 0x10000, 8);
    store_le(file + 24, base, 8);
    *size = image_size;
    return file;
}

static size_t pack_gzip(u8 *out, size_t capacity, const u8 *data, size_t size)
{
    z_stream z = {.next_in = (u8 *)(uintptr_t)data, .avail_in = (uInt)size};
    BUG_ON(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK);
    z.next_out = out;
    z.avail_out = (uInt)capacity;
    BUG_ON(deflate(&z, Z_FINISH) != Z_STREAM_END);
    deflateEnd(&z);
    return capacity - z.avail_out;
}

u8 *sample_zboot(const char *compression, const u8 *payload, size_t payload_size, size_t *size)
{
    bool is_zstd = !strcmp(compression, "zstd");
    size_t capacity = ZSTD_compressBound(payload_size) + 1024;
    u8 *file = new_file(0x80 + capacity + 4);
    size_t n = is_zstd ? ZSTD_compress(file + 0x80, capacity, payload, payload_size, 3)
                       : pack_gzip(file + 0x80, capacity, payload, payload_size);
    put_pe_header(file);
    memcpy(file + 4, "zimg", 4);
    store_le(file + 8, 0x80, 4);
    store_le(file + 12, n, 4);
    memcpy(file + 0x18, compression, strlen(compression));
    if (is_zstd)
        store_le(file + 0x80 + n, payload_size, 4);
    *size = 0x80 + n + (is_zstd ? 4 : 0);
    return file;
}

u8 *sample_elf(u64 entry, const struct sample_segment *segments, size_t n_segments, size_t *size)
{
    size_t end = sizeof(Elf64_Ehdr) + n_segments * sizeof(Elf64_Phdr);
    Elf64_Ehdr h = {.e_type = ET_EXEC,
                    .e_machine = ELF_MACHINE_LOONGARCH,
                    .e_version = 1,
                    .e_entry = entry,
                    .e_phoff = sizeof(h),
                    .e_ehsize = sizeof(h),
                    .e_phentsize = sizeof(Elf64_Phdr),
                    .e_phnum = (u16)n_segments};
    memcpy(h.e_ident, ELFMAG, 4);
    h.e_ident[EI_CLASS] = ELFCLASS64;
    h.e_ident[EI_DATA] = ELFDATA2LSB;
    h.e_ident[EI_VERSION] = 1;

    *size = end;
    for (size_t i = 0; i < n_segments; i++)
        *size += segments[i].file_size;
    u8 *file = new_file(*size);
    memcpy(file, &h, sizeof(h));
    for (size_t i = 0; i < n_segments; i++) {
        const struct sample_segment *s = &segments[i];
        Elf64_Phdr p = {.p_type = PT_LOAD,
                        .p_flags = PF_R | PF_W | PF_X,
                        .p_offset = end,
                        .p_vaddr = s->vaddr,
                        .p_paddr = s->paddr,
                        .p_filesz = s->file_size,
                        .p_memsz = s->memory_size};
        memcpy(file + sizeof(h) + i * sizeof(p), &p, sizeof(p));
        memset(file + end, (int)i + 1, s->file_size);
        end += s->file_size;
    }
    return file;
}
