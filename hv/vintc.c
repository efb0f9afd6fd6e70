// SPDX-License-Identifier: Apache-2.0
// A vector is pending while its line is high, or since it rose and was not cleared. What a vCPU
// sees is worked out when it is asked for: few vectors are in use.
#include "hv/vintc.h"
#include "base/bits.h"
#include "hv/cpu.h"
#include "hv/sync.h"

#define NODE_TYPE 0x14a0u
#define IP_MAP    0x14c0u
#define ENABLE    0x1600u
#define BOUNCE    0x1680u
#define CORE_SR   0x1800u
#define ROUTE     0x1c00u

// The lowest vCPU that the route names; those of no such number are left out.
static u32 target_of(const struct cell *c, u32 vector)
{
    const struct vintc *x = &c->intc;
    u8 route = (u8)(x->route[vector / 8] >> (8 * (vector % 8)));
    u32 type = route >> 4, cores = route & 0xf;
    u32 nodes = (u32)(x->node_type[type / 4] >> (16 * (type % 4))) & 0xffff;
    u32 node = nodes ? (u32)__builtin_ctz(nodes) : 0;
    u32 vcpu = 4 * node + (cores ? (u32)__builtin_ctz(cores) : 0);
    return vcpu < c->n_vcpus ? vcpu : 0;
}

static u64 status(const struct cell *c, u32 vcpu, u32 word)
{
    u64 found = 0, left = c->intc.pending[word] & c->intc.enable[word];
    for (; left; left &= left - 1) {
        u32 bit = (u32)__builtin_ctzll(left);
        if (target_of(c, 64 * word + bit) == vcpu)
            found |= BIT(bit);
    }
    return found;
}

u32 vintc_pins(struct cell *c, u32 vcpu)
{
    u32 pins = 0;
    spin_lock(&c->intc.lock);
    for (u32 group = 0; group < 8; group++) {
        u32 map = (u32)(c->intc.ipmap >> (8 * group)) & 0xff;
        if ((u32)(status(c, vcpu, group / 2) >> (32 * (group % 2))))
            pins |= 1u << (map ? __builtin_ctz(map) : 0);
    }
    spin_unlock(&c->intc.lock);
    return pins;
}

static void tell_all(struct cell *c)
{
    for (u32 i = 0; i < c->n_vcpus; i++)
        if (c->vcpu[i].cpu)
            cpu_request(c->vcpu[i].cpu, REQUEST_INJECT);
}

void vintc_set_line(struct cell *c, u32 vector, bool level)
{
    struct vintc *x = &c->intc;
    u64 bit = BIT(vector % 64), *line = &x->line[vector / 64];
    if (!vector)
        return;
    spin_lock(&x->lock);
    bool is_new = level && !(*line & bit);
    *line = level ? *line | bit : *line & ~bit;
    if (is_new)
        x->pending[vector / 64] |= bit;
    else if (!level)
        x->pending[vector / 64] &= ~bit;
    spin_unlock(&x->lock);
    if (is_new || !level)
        tell_all(c);
}

void vintc_send(struct cell *c, u32 vector)
{
    if (!vector)
        return;
    spin_lock(&c->intc.lock);
    c->intc.pending[vector / 64] |= BIT(vector % 64);
    spin_unlock(&c->intc.lock);
    tell_all(c);
}

// The storage behind a register that is nothing but that.
static u64 *plain(struct vintc *x, u32 address)
{
    if (address >= NODE_TYPE && address < NODE_TYPE + 32)
        return &x->node_type[(address - NODE_TYPE) / 8];
    if (address == IP_MAP)
        return &x->ipmap;
    if (address >= ENABLE && address < ENABLE + 32)
        return &x->enable[(address - ENABLE) / 8];
    if (address >= BOUNCE && address < BOUNCE + 32)
        return &x->bounce[(address - BOUNCE) / 8];
    if (address >= ROUTE && address < ROUTE + 256)
        return &x->route[(address - ROUTE) / 8];
    return NULL;
}

bool vintc_read(struct cell *c, u32 vcpu, u32 address, u64 *value)
{
    u64 *word = plain(&c->intc, address);
    bool is_status = address >= CORE_SR && address < CORE_SR + 32;
    if (!word && !is_status)
        return false;
    spin_lock(&c->intc.lock);
    *value = word ? *word : status(c, vcpu, (address - CORE_SR) / 8);
    spin_unlock(&c->intc.lock);
    return true;
}

// A line that is still high makes its vector pending again at once.
static void clear(struct cell *c, u32 vcpu, u32 word, u64 bits)
{
    struct vintc *x = &c->intc;
    x->pending[word] &= ~(bits & status(c, vcpu, word));
    x->pending[word] |= x->line[word];
}

bool vintc_write(struct cell *c, u32 vcpu, u32 address, u64 value, u64 mask)
{
    u64 *word = plain(&c->intc, address);
    bool is_status = address >= CORE_SR && address < CORE_SR + 32;
    if (!word && !is_status)
        return false;
    spin_lock(&c->intc.lock);
    if (word)
        *word = (*word & ~mask) | (value & mask);
    else
        clear(c, vcpu, (address - CORE_SR) / 8, value & mask);
    spin_unlock(&c->intc.lock);
    tell_all(c);
    return true;
}
