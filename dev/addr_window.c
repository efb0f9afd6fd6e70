// SPDX-License-Identifier: Apache-2.0
#include "dev/addr_window.h"
#include "base/bits.h"

#define MMAP_ENABLE BIT(7)

// A port has BASE0-7, MASK0-7 and MMAP0-7.
#define PORT_SIZE  (3 * 8 * 8)
#define FIRST_MMAP (2 * 8 * 8)

// Ports 0 to 3 are the processors of a node; the windows of the others are about masters that are
// not modelled apart (caches) or that use flat addresses (devices).
#define N_CORE_PORTS 4

static u64 word(const struct addr_window *w, unsigned port, unsigned index)
{
    return w->words[(0x100 * port) / 8 + index];
}

static u64 mmap_of(const struct addr_window *w, unsigned port, unsigned n)
{
    return word(w, port, FIRST_MMAP / 8 + n);
}

static bool any_core_window(const struct addr_window *w)
{
    for (unsigned port = 0; port < N_CORE_PORTS; port++)
        for (unsigned n = 0; n < 8; n++)
            if (mmap_of(w, port, n) & MMAP_ENABLE)
                return true;
    return false;
}

// What processors have cached is by the old windows.
static void window_changed(void *block, u32 offset, u64 before)
{
    struct addr_window *w = block;
    u64 now = *reg_bank_word(&w->bank, offset);
    unsigned port = offset >> 8 & 0xf;
    w->is_active = any_core_window(w);
    if (port < N_CORE_PORTS) {
        mem_changed(w->dev.env->mem);
    } else if ((offset & 0xff) >= FIRST_MMAP && now & ~before & MMAP_ENABLE) {
        log_unimp(w->dev.env->log, "address window at 0x%x enabled (0x%llx): has no effect", offset,
                  (unsigned long long)now);
    }
}

static u64 translate(const struct addr_window *w, unsigned port, u64 address)
{
    for (unsigned n = 0; n < 8; n++) {
        u64 base = word(w, port, n), mask = word(w, port, 8 + n), mmap = mmap_of(w, port, n);
        if (mmap & MMAP_ENABLE && (address & mask) == base)
            return (address & ~mask) | (mmap & BITS(47, 10));
    }
    return address;
}

bool addr_window_is_active(void *opaque)
{
    return ((struct addr_window *)opaque)->is_active;
}

u64 addr_window_route(void *opaque, unsigned core, u64 address)
{
    struct addr_window *w = opaque;
    if (!w->is_active)
        return address;
    mem_lock(w->dev.env->mem);
    address = translate(w, core % N_CORE_PORTS, address);
    mem_unlock(w->dev.env->mem);
    return address;
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
    struct addr_window *w = container_of(d, struct addr_window, dev);
    reg_bank_reset(&w->bank);
    w->is_active = false;
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
    .doc = "address windows of a Loongson processor",
    .size = sizeof(struct addr_window),
    .realize = addr_window_realize,
    .reset = addr_window_reset,
};
