// SPDX-License-Identifier: Apache-2.0
#include "host/backends.h"
#include "host/block/block.h"
#include "base/bug.h"
#include "base/test.h"

#include <stdlib.h>

static unsigned n_freed;

static void count_free(struct block *b)
{
    n_freed++;
    free(b);
}

static const struct block_ops ops = {.free = count_free};

static struct block *make(void)
{
    struct block *b = calloc(1, sizeof(*b));
    BUG_ON(!b);
    b->ops = &ops;
    return b;
}

TEST(back_ends_are_found_once)
{
    struct backends b = {0};
    struct err e = {0};
    struct block *d0 = make(), *d1 = make();
    CHECK(!backends_take_drive(&b, "d0", "a", &e));
    CHECK_STR(e.text, "there is no drive 'd0'; there is: none");
    REQUIRE(backends_add_drive(&b, "d0", d0, &e));
    CHECK(!backends_add_drive(&b, "d0", d1, &e));
    CHECK_STR(e.text, "there are two drives with id 'd0'");
    CHECK(!backends_add_drive(&b, NULL, d1, &e));
    CHECK_STR(e.text, "a drive needs an id=");
    REQUIRE(backends_add_drive(&b, "d1", d1, &e));
    CHECK(!backends_take_drive(&b, "d2", "a", &e));
    CHECK_STR(e.text, "there is no drive 'd2'; there are: d0, d1");
    CHECK(!backends_take_netdev(&b, "d0", "a", &e)); // kinds have names of their own
    CHECK_STR(e.text, "there is no netdev 'd0'; there is: none");
    CHECK(!backends_take_drive(&b, NULL, "a", &e));
    CHECK_STR(e.text, "property 'drive' is missing");
    CHECK(backends_take_drive(&b, "d1", "a", &e) == d1);
    CHECK(!backends_take_drive(&b, "d1", "b", &e));
    CHECK_STR(e.text, "drive 'd1' is already used by a");
    CHECK(!backends_take_drive(NULL, "d0", "b", &e));
    backends_free(&b);
    CHECK_EQ(n_freed, 2);
}
