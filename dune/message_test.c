// SPDX-License-Identifier: Apache-2.0
#include "dune/message.h"
#include "base/test.h"

TEST(everything_that_it_knows)
{
    char line[200];
    struct text t = {line, sizeof(line), 0};
    text_add(&t, "%s|%c|%d|%u|%ld|%x|%%", "text", 'c', -5, (u64)7, (s64)-8, (u64)0xabc0);
    CHECK_STR(line, "text|c|-5|7|-8|0xabc0|%");
    CHECK_EQ(t.n, strlen(line));
    text_add(&t, "+%d", 0);
    CHECK_STR(line, "text|c|-5|7|-8|0xabc0|%+0");
}

TEST(it_ends_where_the_room_ends)
{
    char line[8];
    struct text t = {line, 5, 0};
    memset(line, 'x', sizeof(line));
    text_add(&t, "%u", (u64)1234567);
    CHECK_STR(line, "1234");
    CHECK_EQ(line[5], 'x');
    struct text none = {line, 0, 0};
    text_add(&none, "abc");
    CHECK_STR(line, "1234");
}

TEST(extremes)
{
    char line[100];
    struct text t = {line, sizeof(line), 0};
    text_add(&t, "%ld %u", (s64)(1ULL << 63), ~0ULL);
    CHECK_STR(line, "-9223372036854775808 18446744073709551615");
}
