// SPDX-License-Identifier: Apache-2.0
// The firmware configuration device: how QEMU's firmware interface hands blobs to firmware and
// kernels. Items have 16-bit keys; named files have keys from 0x20 and are listed, sorted by name,
// under key 0x19.
//
//     +0x00 data, 8 bytes wide: reads give the selected item byte after byte, any access size
//     +0x08 selector, 16 bits, big-endian, write only
//     +0x10 DMA address, 64 bits, big-endian; writing its low half starts a transfer
//
// Items are added before the machine runs, or with the device lock held. A key or a name is added
// once.
#pragma once

#include "dev/device.h"

#define FW_CFG_NAME_SIZE 56 // with its final zero
#define FW_CFG_MAX_FILES 256

enum {
    FW_CFG_DATA = 0x00,
    FW_CFG_SELECTOR = 0x08,
    FW_CFG_DMA = 0x10,
    FW_CFG_SIZE = 0x18,

    // Keys
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_FEATURES = 0x01, // bit 0 data register, bit 1 DMA
    FW_CFG_UUID = 0x02,
    FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05,
    FW_CFG_MACHINE_ID = 0x06,
    FW_CFG_KERNEL_ADDR = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_KERNEL_CMDLINE = 0x09,
    FW_CFG_INITRD_ADDR = 0x0a,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_BOOT_DEVICE = 0x0c,
    FW_CFG_NUMA = 0x0d,
    FW_CFG_BOOT_MENU = 0x0e,
    FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_ENTRY = 0x10,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_ADDR = 0x13,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_ADDR = 0x16,
    FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,

    // Control word of a transfer: {u32 control, u32 length, u64 address}, all big-endian.
    FW_CFG_DMA_ERROR = 0x01,
    FW_CFG_DMA_READ = 0x02,
    FW_CFG_DMA_SKIP = 0x04,
    FW_CFG_DMA_SELECT = 0x08, // key in bits 31:16
    FW_CFG_DMA_WRITE = 0x10,
};

// An item that is made when it is selected, or that the guest may write. Device lock held; either
// may be NULL.
struct fw_cfg_hooks {
    void (*selected)(void *opaque, u8 *data, u32 size);
    void (*written)(void *opaque, u32 offset, u32 size);
    void *opaque;
};

struct fw_cfg_item {
    u8 *data;
    u32 size;
    bool is_borrowed;
    struct fw_cfg_hooks hooks;
};

struct fw_cfg_file {
    char name[FW_CFG_NAME_SIZE];
    struct fw_cfg_item item;
};

struct fw_cfg {
    struct device d;
    struct mem_region region; // the board sets its base and adds it
    struct fw_cfg_item fixed[FW_CFG_FILE_FIRST];
    struct fw_cfg_file *files; // sorted by name
    unsigned n_files;
    u16 key;
    u32 offset;
    u64 dma_address;
};

extern const struct device_type fw_cfg_type;

static inline struct fw_cfg *fw_cfg_of(struct device *d)
{
    return container_of(d, struct fw_cfg, d);
}

// Fixed keys below 0x20, from 2 on. Data is copied; numbers are little-endian.
void fw_cfg_add_bytes(struct fw_cfg *f, u16 key, const void *data, u32 size);
void fw_cfg_add_u16(struct fw_cfg *f, u16 key, u16 value);
void fw_cfg_add_u32(struct fw_cfg *f, u16 key, u32 value);
void fw_cfg_add_u64(struct fw_cfg *f, u16 key, u64 value);
void fw_cfg_add_string(struct fw_cfg *f, u16 key, const char *text); // with its final zero
// Not copied: `data` stays as long as the device.
void fw_cfg_add_borrowed(struct fw_cfg *f, u16 key, const void *data, u32 size);

// Files. False with a message for a bad name, a name that is taken, or too many files.
bool fw_cfg_add_file(struct fw_cfg *f, const char *name, const void *data, size_t size,
                     struct err *e);
// `size` zeroed bytes.
bool fw_cfg_add_hooked(struct fw_cfg *f, const char *name, size_t size,
                       const struct fw_cfg_hooks *hooks, struct err *e);
