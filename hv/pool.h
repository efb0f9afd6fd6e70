// SPDX-License-Identifier: Apache-2.0
// What cells are made of: blocks of RAM, and pages for tables. Only with hv->lock held, or while
// one processor runs.
#pragma once

#include "hv/hv.h"

// Gives the pages of [base, base + size) to the tables.
void table_pool_add(struct hv *hv, u64 base, u64 size);
// A page of zeros, by its physical address; 0: none is left.
u64 table_alloc(struct hv *hv);
void table_free(struct hv *hv, u64 page);

// Contiguous blocks for the cell with this number, not 0. False: there are not so many in a row.
bool pool_take(struct hv *hv, u64 size, u32 cell, u64 *hpa);
// Everything that the cell has.
void pool_give_back(struct hv *hv, u32 cell);
u64 pool_free_size(const struct hv *hv);
// The cell that has this address, 0 if none or the address is not of the pool.
u32 pool_owner(const struct hv *hv, u64 hpa);
