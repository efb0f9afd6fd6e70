// SPDX-License-Identifier: Apache-2.0
#include "dune/slots.h"

#include <errno.h>

void slots_init(struct slots *s, u64 chunk_size, int (*add)(void *, u32, const struct slot *),
                void *opaque)
{
    s->chunk_size = chunk_size;
    s->next_gpa = SLOTS_FIRST_GPA;
    s->n = 0;
    s->add = add;
    s->opaque = opaque;
}

const struct slot *slots_find(const struct slots *s, u64 hva)
{
    for (u32 i = 0; i < s->n; i++)
        if (hva - s->list[i].hva < s->list[i].size)
            return s->list + i;
    return NULL;
}

int slots_add(struct slots *s, u64 hva, u64 size)
{
    if (s->n == SLOTS_MAX)
        return -ENOSPC;
    struct slot slot = {hva, size, s->next_gpa};
    int ret = s->add ? s->add(s->opaque, s->n, &slot) : 0;
    if (ret < 0)
        return ret;
    s->list[s->n++] = slot;
    s->next_gpa += (size + s->chunk_size - 1) & ~(s->chunk_size - 1);
    return 0;
}

u64 slots_gpa(struct slots *s, u64 hva)
{
    if (hva >= ARCH_TASK_END)
        return 0;
    const struct slot *slot = slots_find(s, hva);
    u64 start = hva & ~(s->chunk_size - 1), size = s->chunk_size;
    if (size > ARCH_TASK_END - start)
        size = ARCH_TASK_END - start; // the kernel refuses a slot that goes on to its own half
    if (!slot && slots_add(s, start, size) == 0)
        slot = s->list + s->n - 1;
    return slot ? slot->gpa + (hva - slot->hva) : 0;
}

int slots_replay(struct slots *s)
{
    for (u32 i = 0; s->add && i < s->n; i++) {
        int ret = s->add(s->opaque, i, s->list + i);
        if (ret < 0)
            return ret;
    }
    return 0;
}
