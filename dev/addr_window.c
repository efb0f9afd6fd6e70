// SPDX-License-Identifier: Apache-2.0
#include "dev/addr_window.h"
#include "base/bits.h"

#define MMAP_ENABLE BIT(7)

// A port has BASE0-7, MASK0-7 and MMAP0-7.
#define PORT_SIZE  (3 * 8 * 8)
#define FIRST_MMAP (2 * 8 * 8)

static void window_changed(void *block, u32 offset, u64 before)
{
    struct addr_window *w = block;
    u64 now = *reg_bank_word(&w->bank, offset);
    if ((offset & 0xff) >= FIRST_MMAP && now & ~before & MMAP_ENABLE)
        log_unimp(w->dev.env->log, "address window at 0x%x enabled (0x%llx): has no effect", offset,
                  (unsigned long long)now);
}

// clang-format off
#define PORT(number, name)                                                                         \
    {0x2000 + 0x100 * number, 0x2000 + 0x100 * number + PORT_SIZE - 1, name, 0, ~0ULL,             \
     .changed = window_changed}
static const struct reg addr_window_regs[] = {
    PORT(0x0, "CORE0_WIN"),
    PORT(0x1, "CORE1_WIN"),
    PORT(0x2, "CORE2_WIN"),
    PORT(0x3, "CORE3_WIN"),
    PORT(0x4, "SCACHE0_WIN"),
    PORT(0x5, "SCACHE1_WIN"),
    PORT(0x6, "SCACHE2_WIN"),
    PORT(0x7, "SCACHE3_WIN"),
    PORT(0x9, "IO_L2X_WIN"),
    PORT(0xa, "HT0_LO_WIN"),
    PORT(0xb, "HT0_HI_WIN"),
    PORT(0xc, "SE_WIN"),
    PORT(0xd, "MISC_WIN"),
    PORT(0xe, "HT1_LO_WIN"),
    PORT(0xf, "HT1_HI_WIN"),
    {0},
};
// clang-format on

static void addr_window_reset(struct device *d)
{
    reg_bank_reset(&container_of(d, struct addr_window, dev)->bank);
}

static bool addr_window_realize(struct device *d, struct err *e)
{
    struct addr_window *w = container_of(d, struct addr_window, dev);
    w->bank.base = 0x2000;
    w->bank.words = w->words;
    w->bank.n_words = ADDR_WINDOW_N_WORDS;
    reg_bank_init(&w->bank, "addr-window", addr_window_regs, w, d->env->log);
    return true;
}

const struct device_type addr_window_type = {
    .name = "loongson-addr-window",
    .doc = "address windows of a Loongson processor (storage only)",
    .size = sizeof(struct addr_window),
    .realize = addr_window_realize,
    .reset = addr_window_reset,
};
