// SPDX-License-Identifier: Apache-2.0
// Tables of stage 2 against a list of what was asked for.
#include "base/test.h"
#include "hv/arch.h"
#include "hv/arch/fake/fake.h"

#include <stdlib.h>

#define SPAN (4 * HV_BLOCK)
#define N    (SPAN / HV_PAGE_SIZE)

TEST(what_is_mapped_is_found_and_nothing_else)
{
    struct hv *hv = fake_new(1);
    static u64 model[N];
    u64 root, hpa, before = hv->n_tables_free;
    srand(3);
    CHECK(arch_stage2_new(hv, &root));
    for (int step = 0; step < 300; step++) {
        u64 first = (u64)rand() % N, n = 1 + (u64)rand() % (step % 3 ? 40 : 4000);
        if (step % 5 == 0)
            first &= ~(HV_BLOCK / HV_PAGE_SIZE - 1), n = HV_BLOCK / HV_PAGE_SIZE;
        n = first + n > N ? N - first : n;
        struct region r = {first * HV_PAGE_SIZE, (u64)rand() % 64 * HV_BLOCK, n * HV_PAGE_SIZE};
        r.hpa += r.gpa % HV_BLOCK;
        bool is_unmap = rand() % 3 == 0;
        CHECK(is_unmap ? arch_stage2_unmap(hv, root, r.gpa, r.size)
                       : arch_stage2_map(hv, root, r, CELL_MEMORY_RAM, 7));
        for (u64 i = 0; i < n; i++)
            model[first + i] = is_unmap ? 0 : r.hpa + i * HV_PAGE_SIZE + 1;
    }
    for (u64 i = 0; i < N; i++) {
        bool is_there = arch_stage2_walk(root, i * HV_PAGE_SIZE + 5, &hpa);
        if (!CHECK_EQ(is_there, model[i] != 0) || !is_there)
            continue;
        CHECK_EQ(hpa, model[i] - 1 + 5);
    }
    CHECK(!arch_stage2_walk(root, SPAN, &hpa));
    CHECK(!arch_stage2_walk(root, 1ULL << 47, &hpa));
    arch_stage2_free(hv, root);
    CHECK_EQ(hv->n_tables_free, before);
    fake_free(hv);
}

TEST(a_cell_of_whole_blocks_costs_two_tables)
{
    struct hv *hv = fake_new(1);
    u64 root, before = hv->n_tables_free;
    CHECK(arch_stage2_new(hv, &root));
    CHECK(arch_stage2_map(hv, root, (struct region){0, FAKE_POOL_BASE, 0x4000000}, CELL_MEMORY_RAM,
                          7));
    CHECK_EQ(before - hv->n_tables_free, 2);
    arch_stage2_free(hv, root);
    fake_free(hv);
}

TEST(too_few_tables_are_told)
{
    struct hv *hv = fake_new(1);
    u64 root;
    CHECK(arch_stage2_new(hv, &root));
    bool is_good = true;
    for (u64 i = 0; i < 200 && is_good; i++)
        is_good =
            arch_stage2_map(hv, root, (struct region){i * HV_BLOCK, FAKE_POOL_BASE, HV_PAGE_SIZE},
                            CELL_MEMORY_RAM, 7);
    CHECK(!is_good);
    arch_stage2_free(hv, root);
    CHECK(arch_stage2_new(hv, &root));
    fake_free(hv);
}
