// SPDX-License-Identifier: Apache-2.0
// What the machine tells its firmware. Machines that enter a kernel directly need not have it.
#pragma once

#include "guest/lib/loongarch64/board.h"

enum { FW_CFG_SIGNATURE = 0, FW_CFG_FEATURES = 1, FW_CFG_NB_CPUS = 5, FW_CFG_DIRECTORY = 0x19 };
enum { FW_CFG_DATA = 0, FW_CFG_SELECTOR = 8, FW_CFG_DMA = 16 };

// The selector is big-endian.
static inline void fw_cfg_select(u16 key)
{
    device_write16(BOARD_FW_CFG + FW_CFG_SELECTOR, (u16)(key << 8 | key >> 8));
}

static inline bool fw_cfg_exists(void)
{
    fw_cfg_select(FW_CFG_SIGNATURE);
    return device_read32(BOARD_FW_CFG + FW_CFG_DATA) == 0x554d4551; // "QEMU"
}

static inline unsigned fw_cfg_n_cpus(void)
{
    fw_cfg_select(FW_CFG_NB_CPUS);
    return device_read16(BOARD_FW_CFG + FW_CFG_DATA);
}
