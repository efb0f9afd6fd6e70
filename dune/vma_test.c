// SPDX-License-Identifier: Apache-2.0
#include "dune/vma.h"
#include "base/test.h"

#define P(n) ((u64)(n)*4096)

TEST(ranges_join_and_split)
{
    struct vma_map m = {0};
    CHECK(vma_set(&m, P(1), P(3), 1) && vma_set(&m, P(3), P(5), 1));
    CHECK_EQ(m.n, 1);
    CHECK(vma_set(&m, P(2), P(4), 3));
    CHECK_EQ(m.n, 3);
    CHECK_EQ(vma_find(&m, P(2))->prot, 3);
    CHECK_EQ(vma_find(&m, P(4))->prot, 1);
    CHECK(vma_set(&m, P(2), P(4), 1));
    CHECK_EQ(m.n, 1);
    CHECK(vma_clear(&m, P(2), P(3)));
    CHECK_EQ(m.n, 2);
    CHECK(!vma_find(&m, P(2)));
    CHECK(!vma_covers(&m, P(1), P(5)) && vma_covers(&m, P(3), P(5)));
    CHECK(vma_is_free(&m, P(2), P(3)) && !vma_is_free(&m, P(2), P(4)));
    vma_free(&m);
}

TEST(copies_keep_holes)
{
    struct vma_map m = {0};
    vma_set(&m, P(1), P(2), 1);
    vma_set(&m, P(3), P(4), 2);
    vma_set(&m, P(10), P(13), 7);
    CHECK(vma_copy(&m, P(1), P(3), P(10)));
    CHECK_EQ(vma_find(&m, P(10))->prot, 1);
    CHECK(!vma_find(&m, P(11)));
    CHECK_EQ(vma_find(&m, P(12))->prot, 2);
    CHECK_EQ(vma_find(&m, P(3))->prot, 2);
    vma_free(&m);
}

TEST(gaps_are_found_from_above)
{
    struct vma_map m = {0};
    CHECK_EQ(vma_gap_below(&m, P(1), P(100), P(4), P(1)), P(96));
    vma_set(&m, P(90), P(100), 1);
    vma_set(&m, P(80), P(88), 1);
    CHECK_EQ(vma_gap_below(&m, P(1), P(100), P(2), P(1)), P(88));
    CHECK_EQ(vma_gap_below(&m, P(1), P(100), P(3), P(1)), P(77));
    CHECK_EQ(vma_gap_below(&m, P(1), P(100), P(3), P(16)), P(64));
    CHECK_EQ(vma_gap_below(&m, P(78), P(100), P(3), P(1)), 0);
    CHECK_EQ(vma_gap_below(&m, P(1), P(95), P(1), P(1)), P(89));
    CHECK_EQ(vma_gap_below(&m, P(1), P(100), P(200), P(1)), 0);
    vma_free(&m);
}

enum { PAGES = 256 };

static bool agrees(const struct vma_map *m, const u8 *model)
{
    for (u64 i = 0; i < PAGES; i++) {
        const struct vma *v = vma_find(m, P(i) + 77);
        if ((v ? v->prot + 1 : 0) != model[i])
            return false;
    }
    for (u64 i = 1; i < m->n; i++) {
        const struct vma *v = m->list + i;
        if (v[-1].end > v->start || (v[-1].end == v->start && v[-1].prot == v->prot))
            return false;
    }
    return true;
}

TEST(random_steps_agree_with_a_model)
{
    struct vma_map m = {0};
    u8 model[PAGES] = {0};
    u64 seed = 99;
    for (int step = 0; step < 20000; step++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        u64 a = seed >> 33 & 127, n = 1 + (seed >> 41 & 31), b = a + n + (seed >> 47 & 31);
        u32 prot = seed >> 57 & 3, kind = seed >> 60 & 3;
        if (kind == 0)
            vma_clear(&m, P(a), P(a + n));
        else if (kind == 1)
            vma_copy(&m, P(a), P(n), P(b));
        else
            vma_set(&m, P(a), P(a + n), prot);
        for (u64 i = 0; i < n && kind != 1; i++)
            model[a + i] = kind ? (u8)(prot + 1) : 0;
        if (kind == 1)
            memmove(model + b, model + a, n);
        if (!CHECK(agrees(&m, model)))
            break;
    }
    vma_free(&m);
}
