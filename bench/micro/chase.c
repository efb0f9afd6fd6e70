// SPDX-License-Identifier: Apache-2.0
// Following pointers: each load waits for the one before it. The rings differ in size, so that one
// lies in the first cache, one in the second, and one in memory.
#include "bench/micro/workload.h"

struct node {
    struct node *next;
    u64 value;
    u64 rest[6]; // one node to a cache line
};

// A ring that visits n nodes in random order (Sattolo's shuffle makes one cycle of all).
static struct node *make_ring(u32 n)
{
    struct node *nodes = get_memory(n * sizeof(*nodes));
    u32 *order = get_memory(n * sizeof(*order));
    u64 random = 8;
    for (u32 i = 0; i < n; i++)
        order[i] = i;
    for (u32 i = n - 1; i > 0; i--) {
        u32 j = (u32)((next_random(&random) >> 16) % i), other = order[i];
        order[i] = order[j];
        order[j] = other;
    }
    for (u32 i = 0; i < n; i++)
        nodes[i] = (struct node){.next = &nodes[order[i]], .value = order[i]};
    free(order);
    return nodes;
}

void *chase_l1_setup(void)
{
    return make_ring(256); // 16 KiB
}

void *chase_l2_setup(void)
{
    return make_ring(6 << 10); // 384 KiB
}

void *chase_ram_setup(void)
{
    return make_ring(1 << 20); // 64 MiB
}

// Begins at the first node each time.
static NOINLINE u64 follow(const struct node *n, u64 steps)
{
    u64 sum = 0;
    for (u64 i = 0; i < steps; i++) {
        sum += n->value;
        n = n->next;
    }
    return sum;
}

u64 chase_l1_run(void *state)
{
    return follow(state, 400000);
}

u64 chase_l2_run(void *state)
{
    return follow(state, 120000);
}

// 64 rings' worth of lines are too many for the units of one run to bring into a cache.
u64 chase_ram_run(void *state)
{
    return follow(state, 1 << 20);
}
