// SPDX-License-Identifier: Apache-2.0
#include "hv/pool.h"
#include "hv/arch.h"
#include "hv/text.h"

void table_pool_add(struct hv *hv, u64 base, u64 size)
{
    for (u64 at = 0; at + HV_PAGE_SIZE <= size; at += HV_PAGE_SIZE) {
        hv->n_tables++;
        table_free(hv, base + at);
    }
}

u64 table_alloc(struct hv *hv)
{
    u64 page = hv->free_tables;
    if (!page)
        return 0;
    hv->free_tables = *(u64 *)arch_memory(page);
    hv->n_tables_free--;
    memset(arch_memory(page), 0, HV_PAGE_SIZE);
    return page;
}

void table_free(struct hv *hv, u64 page)
{
    *(u64 *)arch_memory(page) = hv->free_tables;
    hv->free_tables = page;
    hv->n_tables_free++;
}

static u32 n_blocks(const struct hv *hv)
{
    u64 n = hv->pool_size / HV_BLOCK;
    return n < ARRAY_LEN(hv->block_owner) ? (u32)n : ARRAY_LEN(hv->block_owner);
}

bool pool_take(struct hv *hv, u64 size, u32 cell, u64 *hpa)
{
    u32 run = 0, wanted = (u32)(size / HV_BLOCK);
    if (size > hv->pool_size)
        return false;
    for (u32 i = 0; i < n_blocks(hv); i++) {
        run = hv->block_owner[i] ? 0 : run + 1;
        if (run < wanted)
            continue;
        u32 first = i + 1 - wanted;
        for (u32 k = first; k <= i; k++)
            hv->block_owner[k] = cell;
        *hpa = hv->pool_base + first * HV_BLOCK;
        return true;
    }
    return false;
}

void pool_give_back(struct hv *hv, u32 cell)
{
    for (u32 i = 0; i < ARRAY_LEN(hv->block_owner); i++)
        if (hv->block_owner[i] == cell)
            hv->block_owner[i] = 0;
}

u64 pool_free_size(const struct hv *hv)
{
    u64 n = 0;
    for (u32 i = 0; i < n_blocks(hv); i++)
        n += !hv->block_owner[i];
    return n * HV_BLOCK;
}

u32 pool_owner(const struct hv *hv, u64 hpa)
{
    u64 i = (hpa - hv->pool_base) / HV_BLOCK;
    return hpa >= hv->pool_base && i < n_blocks(hv) ? hv->block_owner[i] : 0;
}
