// SPDX-License-Identifier: Apache-2.0
#include "hv/power.h"
#include "hv/cell.h"
#include "hv/sync.h"

enum { POWER_OFF = 0x34, POWER_RESTART = 0x42 };

static u64 power_read(struct cpu *cpu, struct vdev *d, u64 offset, unsigned size)
{
    return load_u32(&cpu->vcpu->cell->wants_shutdown);
}

static void power_write(struct cpu *cpu, struct vdev *d, u64 offset, u64 value, unsigned size)
{
    if ((u8)value == POWER_RESTART)
        store_u32(&cpu->vcpu->cell->wants_restart, 1);
    if ((u8)value == POWER_OFF)
        cell_end(cpu, CONTROL_CELL_STOPPED, "powered off");
    else if ((u8)value == POWER_RESTART)
        cell_end(cpu, CONTROL_CELL_STOPPED, "asks to be started again");
}

void power_add(struct cell *c, u64 gpa)
{
    struct vdev *d = cell_add_vdev(c, gpa, 4);
    if (!d)
        return;
    d->read = power_read;
    d->write = power_write;
}
