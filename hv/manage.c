// SPDX-License-Identifier: Apache-2.0
// The function as PCI sees it: configuration space, and where its BARs lie in the root cell. What
// the commands do is in manage_commands.c.
#include "hv/manage.h"
#include "base/bits.h"
#include "hv/arch.h"
#include "hv/cell.h"
#include "hv/cpu.h"
#include "hv/log.h"
#include "hv/manage_state.h"
#include "hv/serve.h"
#include "hv/sync.h"
#include "hv/text.h"

#define CLASS_OTHER_PERIPHERAL 0x088000
#define SLOT_SIZE              0x8000ULL // configuration space of eight functions

enum { REG_ID = 0x00, REG_COMMAND = 0x04, REG_CLASS = 0x08, REG_BAR0 = 0x10, REG_SUBSYSTEM = 0x2c };
enum { REG_INTERRUPT = 0x3c, PIN_A = 1 };
enum { COMMAND_MEMORY = 2, COMMAND_INTX_OFF = 0x400, COMMAND_WRITABLE = 0x406, STATUS_INTX = 8 };

static const u64 bar_size[MANAGE_N_BARS] = {CONTROL_REGS_SIZE, CONTROL_SHARED_SIZE,
                                            CONTROL_WINDOW_SIZE, CONTROL_SERVED_SIZE};

static struct manage the_manage;
static struct manage_shared the_shared;

struct control_request *manage_request(struct hv *hv)
{
    return &hv->manage->shared->request;
}

// Whether the BAR can lie where the root cell put it: in the window and on nothing else of ours.
static bool is_placeable(const struct manage *m, u32 bar, const u64 at[MANAGE_N_BARS])
{
    if (at[bar] < m->window || at[bar] - m->window > m->window_size - bar_size[bar])
        return false;
    for (u32 i = 0; i < bar; i++)
        if (at[i] && at[bar] < at[i] + bar_size[i] && at[i] < at[bar] + bar_size[bar])
            return false;
    return true;
}

// What is behind a BAR: nothing (the access exits), or pages.
static bool target_of(struct hv *hv, const struct manage *m, u32 bar, struct region *r)
{
    if (bar == CONTROL_BAR_SHARED)
        *r = (struct region){m->mapped[bar], m->shared_pa, CONTROL_SHARED_SIZE};
    else if (bar == CONTROL_BAR_WINDOW && m->shown.size)
        *r = (struct region){m->mapped[bar], m->shown.hpa, m->shown.size};
    else
        return false;
    return true;
}

static void unmap_bar(struct hv *hv, struct manage *m, u32 bar)
{
    struct region r = {m->mapped[bar], m->mapped[bar], bar_size[bar], 0};
    if (!m->mapped[bar])
        return;
    arch_stage2_unmap(hv, hv->cell[0].stage2, r.gpa, r.size);
    m->mapped[bar] = 0;
    arch_stage2_map(hv, hv->cell[0].stage2, r, CELL_MEMORY_DEVICE, CELL_READ | CELL_WRITE);
}

static void map_bar(struct hv *hv, struct manage *m, u32 bar, u64 at)
{
    struct region r;
    m->mapped[bar] = at;
    arch_stage2_unmap(hv, hv->cell[0].stage2, at, bar_size[bar]);
    if (target_of(hv, m, bar, &r))
        arch_stage2_map(hv, hv->cell[0].stage2, r, CELL_MEMORY_RAM, CELL_READ | CELL_WRITE);
    if (bar == CONTROL_BAR_SERVED)
        serve_map(hv);
}

bool manage_show(struct cpu *cpu)
{
    struct hv *hv = cpu->hv;
    struct manage *m = hv->manage;
    u64 at = m->mapped[CONTROL_BAR_WINDOW];
    if (!at)
        return true;
    arch_stage2_unmap(hv, hv->cell[0].stage2, at, CONTROL_WINDOW_SIZE);
    bool is_good = flush_cell(cpu, &hv->cell[0]);
    if (is_good)
        map_bar(hv, m, CONTROL_BAR_WINDOW, at);
    return is_good && flush_cell(cpu, &hv->cell[0]);
}

// After a change of command or BARs, which programs that use them have to do without.
static bool remap(struct cpu *cpu)
{
    struct hv *hv = cpu->hv;
    struct manage *m = hv->manage;
    u64 at[MANAGE_N_BARS];
    for (u32 i = 0; i < MANAGE_N_BARS; i++)
        at[i] = m->command & COMMAND_MEMORY ? m->bar[i] : 0;
    for (u32 i = 0; i < MANAGE_N_BARS; i++)
        if (at[i] && !is_placeable(m, i, at))
            at[i] = 0;
    for (u32 i = 0; i < MANAGE_N_BARS; i++)
        unmap_bar(hv, m, i);
    bool is_good = flush_cell(cpu, &hv->cell[0]);
    for (u32 i = 0; i < MANAGE_N_BARS; i++)
        if (at[i])
            map_bar(hv, m, i, at[i]);
    for (u32 i = 0; i < MANAGE_N_BARS; i++)
        m->vdev[i]->gpa = m->mapped[i] ? m->mapped[i] : ~0ULL - bar_size[i];
    return flush_cell(cpu, &hv->cell[0]) && is_good;
}

static u32 config_word(const struct manage *m, u32 offset)
{
    u32 bar = (offset - REG_BAR0) / 4;
    switch (offset) {
    case REG_ID:
    case REG_SUBSYSTEM: return CONTROL_PCI_DEVICE << 16 | CONTROL_PCI_VENDOR;
    case REG_COMMAND: return (load_u32(&m->has_event) ? STATUS_INTX << 16 : 0) | m->command;
    case REG_INTERRUPT: return PIN_A << 8 | m->line_register;
    case REG_CLASS: return CLASS_OTHER_PERIPHERAL << 8 | CONTROL_VERSION_VALUE;
    default: return offset >= REG_BAR0 && bar < MANAGE_N_BARS ? m->bar[bar] : 0;
    }
}

// Functions 1 to 7 are not there.
u64 manage_config_read(struct cpu *cpu, struct vdev *d, u64 offset, unsigned size)
{
    if (offset >= 0x1000)
        return ~0ULL >> (64 - 8 * size);
    u64 word = config_word(cpu->hv->manage, (u32)offset & ~3u);
    if (size == 8)
        return word | (u64)config_word(cpu->hv->manage, (u32)offset + 4) << 32;
    return word >> (8 * (offset & 3)) & ~0ULL >> (64 - 8 * size);
}

static void write_bar(struct manage *m, u32 bar, u32 value)
{
    m->bar[bar] = value & ~(u32)(bar_size[bar] - 1);
}

void manage_config_write(struct cpu *cpu, struct vdev *d, u64 offset, u64 value, unsigned size)
{
    struct manage *m = cpu->hv->manage;
    u32 bar = (u32)(offset - REG_BAR0) / 4;
    if (offset >= 0x1000 || size > 4)
        return;
    hv_lock(cpu);
    u32 before = m->command;
    if (offset == REG_COMMAND)
        m->command = (u32)value & COMMAND_WRITABLE;
    else if (offset >= REG_BAR0 && bar < MANAGE_N_BARS && size == 4)
        write_bar(m, bar, (u32)value);
    else if (offset == REG_INTERRUPT)
        m->line_register = (u8)value;
    bool is_bar = offset >= REG_BAR0 && bar < MANAGE_N_BARS && m->command & COMMAND_MEMORY;
    if (is_bar || (before ^ m->command) & COMMAND_MEMORY)
        remap(cpu);
    hv_unlock(cpu);
}

static u64 read_registers(struct cpu *cpu, struct vdev *d, u64 offset, unsigned size)
{
    switch (offset) {
    case CONTROL_ID: return CONTROL_ID_VALUE;
    case CONTROL_VERSION: return CONTROL_VERSION_VALUE;
    default: return 0;
    }
}

static void write_registers(struct cpu *cpu, struct vdev *d, u64 offset, u64 value, unsigned size)
{
    struct hv *hv = cpu->hv;
    if (offset == CONTROL_DOORBELL)
        manage_ring(cpu);
    if (offset != CONTROL_ARM && offset != CONTROL_RAISE)
        return;
    hv_lock(cpu);
    if (offset == CONTROL_RAISE) {
        serve_raise(hv, (u32)value);
    } else {
        hv->manage->command &= ~(u32)COMMAND_INTX_OFF;
        serve_arm(hv);
    }
    hv_unlock(cpu);
}

// BARs whose pages are not there at the moment.
static u64 read_nothing(struct cpu *cpu, struct vdev *d, u64 offset, unsigned size)
{
    return ~0ULL >> (64 - 8 * size);
}

static void write_nothing(struct cpu *cpu, struct vdev *d, u64 offset, u64 value, unsigned size)
{
}

void manage_init(struct hv *hv, struct cell *root, u64 ecam, u64 window, u64 window_size)
{
    struct manage *m = hv->manage = &the_manage;
    memset(m, 0, sizeof(*m));
    m->shared = &the_shared;
    memset(m->shared, 0, sizeof(*m->shared));
    m->shared_pa = arch_physical(m->shared);
    m->window = window;
    m->window_size = window_size;
    struct vdev *config = cell_add_vdev(root, ecam + CONTROL_PCI_SLOT * SLOT_SIZE, SLOT_SIZE);
    config->read = manage_config_read;
    config->write = manage_config_write;
    for (u32 i = 0; i < MANAGE_N_BARS; i++) {
        m->vdev[i] = cell_add_vdev(root, ~0ULL - bar_size[i], bar_size[i]);
        m->vdev[i]->read = i ? read_nothing : read_registers;
        m->vdev[i]->write = i ? write_nothing : write_registers;
    }
}
