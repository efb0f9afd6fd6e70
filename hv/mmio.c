// SPDX-License-Identifier: Apache-2.0
#include "hv/mmio.h"
#include "hv/cell.h"
#include "hv/sync.h"

static struct vdev *find(struct cell *c, u64 gpa, unsigned size)
{
    for (u32 i = 0; i < c->n_vdevs; i++) {
        struct vdev *d = &c->vdev[i];
        if (gpa >= d->gpa && gpa - d->gpa < d->size && d->size - (gpa - d->gpa) >= size)
            return d;
    }
    return NULL;
}

bool mmio_access(struct cpu *cpu, struct access *a)
{
    struct vdev *d = find(cpu->vcpu->cell, a->gpa, a->size);
    if (!d || a->gpa & (a->size - 1u))
        return false;
    if (a->is_write)
        d->write(cpu, d, a->gpa - d->gpa, a->value, a->size);
    else
        a->value = d->read(cpu, d, a->gpa - d->gpa, a->size);
    return true;
}

static u64 read_absent(struct cpu *cpu, struct vdev *d, u64 offset, unsigned size)
{
    return ~0ULL >> (64 - 8 * size);
}

static void write_absent(struct cpu *cpu, struct vdev *d, u64 offset, u64 value, unsigned size)
{
}

void mmio_add_absent(struct cell *c, u64 gpa, u64 size)
{
    struct vdev *d = cell_add_vdev(c, gpa, size);
    if (!d)
        return;
    d->read = read_absent;
    d->write = write_absent;
}

void mmio_note_unknown(struct hv *hv, u64 address)
{
    spin_lock(&hv->log_lock);
    for (u32 i = 0; i < N_UNKNOWN; i++) {
        struct control_unknown *u = &hv->unknown[i];
        if (u->count && u->address != address)
            continue;
        u->address = address;
        u->count++;
        break;
    }
    spin_unlock(&hv->log_lock);
}
