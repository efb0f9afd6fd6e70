// SPDX-License-Identifier: Apache-2.0
#include "dune/arguments.h"
#include "base/test.h"
#include "dune/calls.h"
#include "dune/hidden.h"
#include "dune/space.h"

#include <errno.h>

static const struct hidden hidden = {1024, 2048};

static long check(const char *kinds, u64 a0, u64 a1, u64 a2)
{
    return arguments_check(&hidden, kinds, (u64[6]){a0, a1, a2});
}

TEST(pointers_stay_below_the_border)
{
    CHECK_EQ(check("p", 0, 0, 0), 0);
    CHECK_EQ(check("p", SPACE_END - 1, 0, 0), 0);
    CHECK_EQ(check("p", SPACE_END + 1, 0, 0), -EFAULT);
    CHECK_EQ(check("p", 0x7fff00000000, 0, 0), -EFAULT);
    CHECK_EQ(check("p", ~0ULL, 0, 0), -EFAULT);
    CHECK_EQ(check("d s", 0, 0x7fff00000000, 0), -EFAULT);
    CHECK_EQ(check("x", 0x7fff00000000, 0, 0), 0);
}

TEST(memory_with_a_size)
{
    CHECK_EQ(check("f r2 u", 0, SPACE_END - 64, 64), 0);
    CHECK_EQ(check("f r2 u", 0, SPACE_END - 64, 65), -EFAULT);
    CHECK_EQ(check("f w2 u", 0, SPACE_END - 64, 65), -EFAULT);
    CHECK_EQ(check("f w2 u", 0, 0x1000, SPACE_END), -EFAULT);
    CHECK_EQ(check("f r2 u", 0, 0x1000, ~0ULL), 0); // the kernel refuses such sizes
}

TEST(descriptors_of_the_monitor)
{
    CHECK_EQ(check("f", 1023, 0, 0), 0);
    CHECK_EQ(check("f", 1024, 0, 0), -EBADF);
    CHECK_EQ(check("f", 2047, 0, 0), -EBADF);
    CHECK_EQ(check("f", 2048, 0, 0), 0);
    CHECK_EQ(check("F s", (u64)-100, 0, 0), 0);
    CHECK_EQ(check("F s", 1500, 0, 0), -EBADF);
    CHECK_EQ(check("f", 0xffffffff00000400, 0, 0), -EBADF); // the kernel looks at 32 bits
    CHECK_EQ(check("d", 1024, 0, 0), 0);
}

// The table names sizes by arguments that exist, and knows no other kinds.
TEST(the_table_is_well_formed)
{
    for (u64 i = 0; i < CALLS_MAX; i++) {
        const struct call *c = calls_find(i);
        const char *kinds = c ? c->arguments : "";
        u32 size_at, n = 0;
        for (char kind; (kind = arguments_next(&kinds, &size_at)); n++) {
            CHECK(strchr("duxofFsprwv", kind) != NULL);
            if (strchr("rwv", kind))
                CHECK(size_at > n || i == 0);
        }
        CHECK(n <= 6);
    }
}
