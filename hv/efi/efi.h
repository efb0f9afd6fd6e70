// SPDX-License-Identifier: Apache-2.0
// What the application uses of UEFI's tables and protocols (UEFI specification 2.10, chapters 4, 7,
// 9, 10, 12 and 13). What it does not use is only counted, so that the rest is in its place.
#pragma once

#include "base/types.h"

#define EFI_ERROR_BIT             (1ULL << 63)
#define EFI_SUCCESS               0ULL
#define EFI_LOAD_ERROR            (EFI_ERROR_BIT | 1)
#define EFI_INVALID_PARAMETER     (EFI_ERROR_BIT | 2)
#define EFI_UNSUPPORTED           (EFI_ERROR_BIT | 3)
#define EFI_OUT_OF_RESOURCES      (EFI_ERROR_BIT | 9)
#define EFI_NOT_FOUND             (EFI_ERROR_BIT | 14)
#define EFI_TPL_HIGH              31
#define EFI_FILE_MODE_READ        1ULL
#define EFI_PAGE_SIZE             0x1000ULL
#define EFI_DEVICE_PATH_MEDIA     4
#define EFI_DEVICE_PATH_FILE      4
#define EFI_DEVICE_PATH_END       0x7f
#define EFI_DEVICE_PATH_END_WHOLE 0xff

enum efi_allocate { EFI_ANYWHERE = 0, EFI_AT_ADDRESS = 2 };
enum efi_memory { EFI_RESERVED = 0, EFI_LOADER_DATA = 2 };

struct efi_guid {
    u32 a;
    u16 b, c;
    u8 d[8];
};

struct efi_device_path {
    u8 type, subtype;
    u8 length[2]; // of the node, with these four bytes
};

struct efi_text_output {
    void *reset;
    u64 (*output_string)(struct efi_text_output *this, const u16 *text);
};

struct efi_boot_services {
    u8 header[24];
    u64 (*raise_tpl)(u64 tpl);
    void (*restore_tpl)(u64 tpl);
    u64 (*allocate_pages)(u32 how, u32 type, u64 n_pages, u64 *address);
    u64 (*free_pages)(u64 address, u64 n_pages);
    u64 (*get_memory_map)(u64 *size, void *map, u64 *key, u64 *descriptor_size, u32 *version);
    u64 (*allocate_pool)(u32 type, u64 size, void **p);
    u64 (*free_pool)(void *p);
    void *events[6];
    void *protocols[3];
    u64 (*handle_protocol)(void *handle, const struct efi_guid *protocol, void **interface);
    void *handles[5];
    u64 (*load_image)(u8 is_by_boot_manager, void *parent, struct efi_device_path *path,
                      void *source, u64 source_size, void **image);
    u64 (*start_image)(void *image, u64 *exit_size, u16 **exit_data);
};

struct efi_system_table {
    u8 header[24];
    u16 *vendor;
    u32 revision;
    void *in_handle, *in, *out_handle;
    struct efi_text_output *out;
    void *error_handle, *error, *runtime;
    struct efi_boot_services *boot;
};

struct efi_loaded_image {
    u32 revision;
    void *parent;
    struct efi_system_table *system_table;
    void *device;
    struct efi_device_path *path;
    void *reserved;
    u32 options_size; // in bytes
    u16 *options;
};

struct efi_file {
    u64 revision;
    u64 (*open)(struct efi_file *this, struct efi_file **file, const u16 *name, u64 mode,
                u64 attributes);
    u64 (*close)(struct efi_file *this);
    void *delete;
    u64 (*read)(struct efi_file *this, u64 *size, void *to);
};

struct efi_file_system {
    u64 revision;
    u64 (*open_volume)(struct efi_file_system *this, struct efi_file **root);
};

_Static_assert(offsetof(struct efi_system_table, boot) == 96, "as the specification says");
_Static_assert(offsetof(struct efi_boot_services, handle_protocol) == 152, "as above");
_Static_assert(offsetof(struct efi_boot_services, start_image) == 208, "as above");
_Static_assert(offsetof(struct efi_loaded_image, options) == 56, "as above");
