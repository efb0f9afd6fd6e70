// SPDX-License-Identifier: Apache-2.0
#include "dune/arch/loongarch64/context.h"

#include <stddef.h>
#include <string.h>

_Static_assert(offsetof(struct context_frame, uc_flags) == 128, "as the kernel lays it out");
_Static_assert(offsetof(struct context_frame, pc) == 128 + 176, "as the kernel lays it out");
_Static_assert(sizeof(struct context_frame) == 576, "as the kernel lays it out");

static const struct context_unit units[] = {
    {0x46505501, 1, 16}, // FPU
    {0x53580001, 2, 16}, // LSX
    {0x41535801, 4, 32}, // LASX
};

const struct context_unit *context_widest(u32 euen)
{
    return units + (euen & 4 ? 2 : euen & 2 ? 1 : 0);
}

const struct context_unit *context_unit_of(u32 magic)
{
    for (u32 i = 0; i < ARRAY_LEN(units); i++)
        if (units[i].magic == magic)
            return units + i;
    return NULL;
}

u64 context_size(const struct context_unit *u)
{
    return 8 * (32 * u->words + 2); // registers, fcc, fcsr
}

void context_pack(u64 *to, const struct vcpu_extra *x, const struct context_unit *u)
{
    for (u32 i = 0; i < 32; i++)
        memcpy(to + i * u->words, x->regs[i], 8 * u->words);
    to[32 * u->words] = x->fcc;
    to[32 * u->words + 1] = x->fcsr;
}

void context_unpack(struct vcpu_extra *x, const u64 *from, const struct context_unit *u)
{
    for (u32 i = 0; i < 32; i++)
        memcpy(x->regs[i], from + i * u->words, 8 * u->words);
    x->fcc = from[32 * u->words];
    x->fcsr = (u32)from[32 * u->words + 1];
}
