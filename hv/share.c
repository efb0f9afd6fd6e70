// SPDX-License-Identifier: Apache-2.0
#include "hv/share.h"
#include "hv/cpu.h"
#include "hv/pool.h"
#include "hv/vintc.h"

enum { DOORBELL_RING = 0, DOORBELL_MEMBERS = 4 };

static struct share *find(struct hv *hv, u32 tag)
{
    for (u32 i = 0; i < N_SHARES; i++)
        if (hv->share[i].members && hv->share[i].tag == tag)
            return &hv->share[i];
    return NULL;
}

static s32 make(struct cell *c, u32 tag, u64 size, u64 *hpa, struct why *w)
{
    struct hv *hv = c->hv;
    for (u32 i = 0; i < N_SHARES; i++) {
        if (hv->share[i].members)
            continue;
        if (!pool_take(hv, size, SHARE_OWNER(i), hpa))
            return cell_refuse(w, REFUSE_NOMEM,
                               "shared memory %u: the pool has no %lu MiB in one piece", tag,
                               size >> 20);
        hv->share[i] = (struct share){tag, 1u << c->id, *hpa, size};
        return 0;
    }
    return cell_refuse(w, REFUSE_NOSPC, "there are %u shared memories already", N_SHARES);
}

s32 share_join(struct cell *c, u32 tag, u64 size, u64 *hpa, struct why *w)
{
    struct share *s = find(c->hv, tag);
    if (!s)
        return make(c, tag, size, hpa, w);
    if (s->size != size)
        return cell_refuse(w, REFUSE_INVAL, "shared memory %u: has %lu MiB, not %lu", tag,
                           s->size >> 20, size >> 20);
    if (s->members >> c->id & 1)
        return cell_refuse(w, REFUSE_INVAL, "shared memory %u is named twice", tag);
    s->members |= 1u << c->id;
    *hpa = s->hpa;
    return 0;
}

void share_leave(struct cell *c)
{
    for (u32 i = 0; i < N_SHARES; i++) {
        struct share *s = &c->hv->share[i];
        if (!(s->members >> c->id & 1))
            continue;
        s->members &= ~(1u << c->id);
        if (!s->members)
            pool_give_back(c->hv, SHARE_OWNER(i));
    }
}

bool share_has_others(const struct cell *c, u32 tag)
{
    const struct share *s = find(c->hv, tag);
    return s && s->members & ~(1u << c->id);
}

static u32 tag_of(const struct vdev *d)
{
    return (u32)(d->state >> 32);
}

static u64 read_doorbell(struct cpu *cpu, struct vdev *d, u64 offset, unsigned size)
{
    hv_lock(cpu);
    const struct share *s = find(cpu->hv, tag_of(d));
    u64 members = s ? s->members : 0;
    hv_unlock(cpu);
    return offset == DOORBELL_MEMBERS ? members : 0;
}

static void ring(struct cell *c, u32 tag, u64 (*read)(struct cpu *, struct vdev *, u64, unsigned))
{
    for (u32 i = 0; i < c->n_vdevs; i++)
        if (c->vdev[i].read == read && tag_of(&c->vdev[i]) == tag)
            vintc_send(c, (u32)c->vdev[i].state);
}

// Cells come and go under the lock, so those that are rung stay meanwhile.
static void write_doorbell(struct cpu *cpu, struct vdev *d, u64 offset, u64 value, unsigned size)
{
    if (offset != DOORBELL_RING)
        return;
    hv_lock(cpu);
    const struct share *s = find(cpu->hv, tag_of(d));
    for (u32 i = 1; s && i < HV_MAX_CELLS; i++)
        if (s->members >> i & 1 && i != cpu->vcpu->cell->id)
            ring(&cpu->hv->cell[i], tag_of(d), read_doorbell);
    hv_unlock(cpu);
}

void doorbell_add(struct cell *c, u64 gpa, u32 tag, u32 vector)
{
    struct vdev *d = cell_add_vdev(c, gpa, 8);
    if (!d)
        return;
    d->read = read_doorbell;
    d->write = write_doorbell;
    d->state = (u64)tag << 32 | vector;
}
