// SPDX-License-Identifier: Apache-2.0
// The decoder. An address is turned into a block, the offset in its table and the core whose
// private registers are meant; the block does the rest.
#include "dev/iocsr.h"
#include "base/bits.h"

// By address, or outside the ranges that belong to the executing core.
#define NO_CORE (-1)

struct range {
    u32 first, last;
    enum iocsr_block block;
    u32 origin; // where the block's own offsets begin
};

// clang-format off
static const struct range ranges[] = {
    {0x0000, 0x011f, IOCSR_CHIP},
    {0x0120, 0x012f, IOCSR_I2C0, 0x120},
    {0x0130, 0x013f, IOCSR_I2C1, 0x130},
    {0x0140, 0x01ef, IOCSR_CHIP},
    {0x01f0, 0x01ff, IOCSR_SPI, 0x1f0},
    {0x0200, 0x04ff, IOCSR_CHIP},
    {0x0500, 0x0517, IOCSR_GPIO},
    {0x0518, 0x0fff, IOCSR_CHIP},
    // 0x1000-0x13ff and 0x1800-0x1bff: four cores at a stride of 0x100, see decode.
    {0x1400, 0x145f, IOCSR_LIOINTC},
    {0x1460, 0x149f, IOCSR_THERMAL},
    {0x14a0, 0x157f, IOCSR_EXTIOI},
    {0x1580, 0x15bf, IOCSR_THERMAL},
    {0x1600, 0x17ff, IOCSR_EXTIOI},
    {0x1c00, 0x1cff, IOCSR_EXTIOI},
    {0x2000, 0x2fff, IOCSR_WINDOWS},
};

// Send registers exist once, although by stride they would be parts of the blocks of cores 0 and 1.
static const struct range send_registers[] = {
    {0x1040, 0x104f, IOCSR_IPI},    // IPI_Send, Mail_Send
    {0x1058, 0x105f, IOCSR_IPI},    // FREQ_Send
    {0x1140, 0x1147, IOCSR_EXTIOI}, // EXT_IOI_send
    {0x1158, 0x115f, IOCSR_IPI},    // ANY_Send
};
// clang-format on

struct place {
    struct reg_bank *bank; // NULL: nothing there
    u32 offset;
    unsigned core;
};

static const struct range *find(const struct range *r, size_t n, u32 address)
{
    for (size_t i = 0; i < n; i++)
        if (r[i].first <= address && address <= r[i].last)
            return &r[i];
    return NULL;
}

// The registers of one core, at a stride of 0x100. The lowest block means the executing core when
// an instruction asks, and core 0 of the node by address.
static struct place decode_core(struct iocsr *s, unsigned node, int executing, u32 address)
{
    unsigned n = address >> 8 & 3;
    struct place p = {.offset = address & ~0x300u, .core = EXTIOI_CORES_PER_NODE * node + n};
    bool is_send = find(send_registers, ARRAY_LEN(send_registers), p.offset) != NULL;
    enum iocsr_block block = address >= 0x1800 ? IOCSR_EXTIOI : IOCSR_IPI;
    if (executing != NO_CORE && !n)
        p.core = executing;
    if (block == IOCSR_IPI && p.offset >= 0x1010 && p.offset <= 0x1017)
        block = IOCSR_LIOINTC;
    if (p.core < s->n_cores && !is_send)
        p.bank = s->banks[block];
    return p;
}

static struct place decode(struct iocsr *s, unsigned node, int executing, u32 address)
{
    const struct range *r = find(send_registers, ARRAY_LEN(send_registers), address);
    bool is_per_core = (address & ~0x3ffu) == 0x1000 || (address & ~0x3ffu) == 0x1800;
    if (!r && is_per_core)
        return decode_core(s, node, executing, address);
    if (!r)
        r = find(ranges, ARRAY_LEN(ranges), address);
    struct place p = {.offset = address};
    p.core = executing != NO_CORE ? (unsigned)executing : EXTIOI_CORES_PER_NODE * node;
    if (r) {
        p.bank = s->banks[r->block];
        p.offset -= r->origin;
    }
    return p;
}

static u64 read_at(struct iocsr *s, unsigned node, int executing, u32 address, unsigned size)
{
    struct place p = decode(s, node, executing, address);
    if (p.bank)
        return reg_bank_read(p.bank, p.core, p.offset, size);
    log_unimp(s->dev.env->log, "iocsr: read of 0x%x: nothing there", address);
    return 0;
}

static void write_at(struct iocsr *s, unsigned node, int executing, u32 address, u64 value,
                     unsigned size)
{
    struct place p = decode(s, node, executing, address);
    if (p.bank)
        reg_bank_write(p.bank, p.core, p.offset, value, size);
    else
        log_unimp(s->dev.env->log, "iocsr: write of 0x%llx to 0x%x: nothing there",
                  (unsigned long long)value, address);
}

static unsigned node_of(unsigned core)
{
    return core / EXTIOI_CORES_PER_NODE;
}

// Misaligned accesses are made of bytes, as they are by address.
static u64 read_pieces(struct iocsr *s, unsigned core, u32 address, unsigned size)
{
    unsigned step = address & (size - 1) ? 1 : size;
    u64 value = 0;
    for (unsigned i = 0; i < size; i += step)
        value |= read_at(s, node_of(core), core, address + i, step) << (8 * i);
    log_at(s->dev.env->log, LOG_IO, "read  iocsr+0x%x size %u core %u = 0x%llx", address, size,
           core, (unsigned long long)value);
    return value;
}

static void write_pieces(struct iocsr *s, unsigned core, u32 address, u64 value, unsigned size)
{
    unsigned step = address & (size - 1) ? 1 : size;
    log_at(s->dev.env->log, LOG_IO, "write iocsr+0x%x size %u core %u = 0x%llx", address, size,
           core, (unsigned long long)value);
    for (unsigned i = 0; i < size; i += step)
        write_at(s, node_of(core), core, address + i, value >> (8 * i), step);
}

u64 iocsr_read(void *opaque, unsigned core, u32 address, unsigned size)
{
    struct iocsr *s = opaque;
    mem_lock(s->dev.env->mem);
    u64 value = read_pieces(s, core, address, size);
    mem_unlock(s->dev.env->mem);
    return value;
}

void iocsr_write(void *opaque, unsigned core, u32 address, u64 value, unsigned size)
{
    struct iocsr *s = opaque;
    mem_lock(s->dev.env->mem);
    write_pieces(s, core, address, value, size);
    mem_unlock(s->dev.env->mem);
}

// A masked write is made of byte writes, so that bytes left out are not even read.
void iocsr_any_send(void *opaque, unsigned core, u32 address, u32 data, u32 bytes)
{
    address &= ~3u;
    if (bytes == 0xf)
        write_pieces(opaque, core, address, data, 4);
    for (unsigned i = 0; bytes != 0xf && i < 4; i++)
        if (bytes >> i & 1)
            write_pieces(opaque, core, address + i, data >> (8 * i) & 0xff, 1);
}

static bool is_off(const struct iocsr_view *v)
{
    return v->is_alias && v->iocsr->config && chip_config_hides_3ff0(v->iocsr->config);
}

static u64 view_read(void *opaque, u64 offset, unsigned size)
{
    struct iocsr_view *v = opaque;
    return is_off(v) ? ~0ULL : read_at(v->iocsr, v->node, NO_CORE, offset, size);
}

static void view_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct iocsr_view *v = opaque;
    if (!is_off(v))
        write_at(v->iocsr, v->node, NO_CORE, offset, value, size);
}

static const struct mem_io_ops view_ops = {.read = view_read, .write = view_write};

static void init_view(struct iocsr *s, unsigned node, bool is_alias)
{
    struct iocsr_view *v = &s->views[node][is_alias];
    v->iocsr = s;
    v->node = node;
    v->is_alias = is_alias;
    v->region.base = (u64)node << 44 | (is_alias ? IOCSR_ALIAS_BASE : IOCSR_BASE);
    v->region.size = IOCSR_SIZE;
    v->region.ops = &view_ops;
    v->region.opaque = v;
    v->region.priority = IOCSR_REGION_PRIORITY;
    v->region.name = is_alias ? "iocsr-alias" : "iocsr";
}

void iocsr_map(struct iocsr *s)
{
    for (unsigned node = 0; node < s->n_nodes; node++)
        for (unsigned i = 0; i < 2; i++)
            mem_add_region(s->dev.env->mem, &s->views[node][i].region);
}

static bool iocsr_realize(struct device *d, struct err *e)
{
    struct iocsr *s = container_of(d, struct iocsr, dev);
    if (!s->n_cores || s->n_cores > CORE_IRQ_MAX_CORES)
        return err_set(e, "property 'cores': has to be 1 to %d", CORE_IRQ_MAX_CORES);
    s->n_nodes = node_of(s->n_cores - 1) + 1;
    for (unsigned node = 0; node < s->n_nodes; node++)
        for (unsigned i = 0; i < 2; i++)
            init_view(s, node, i);
    return true;
}

static const struct device_prop iocsr_props[] = {
    {"cores", PROP_U64, offsetof(struct iocsr, n_cores), "number of cores of the machine", "1"},
    {NULL},
};

const struct device_type iocsr_type = {
    .name = "loongson-iocsr",
    .doc = "decoder of the I/O configuration space of a Loongson processor",
    .size = sizeof(struct iocsr),
    .props = iocsr_props,
    .realize = iocsr_realize,
};
