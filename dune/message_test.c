// SPDX-License-Identifier: Apache-2.0
#include "dune/message.h"
#include "base/test.h"

TEST(everything_that_it_knows)
{
    char line[200];
    struct line t = {line, sizeof(line), 0};
    message_add(&t, "%s|%c|%d|%u|%ld|%x|%%", "text", 'c', -5, (u64)7, (s64)-8, (u64)0xabc0);
    CHECK_STR(line, "text|c|-5|7|-8|0xabc0|%");
    CHECK_EQ(t.n, strlen(line));
    message_add(&t, "+%d", 0);
    CHECK_STR(line, "text|c|-5|7|-8|0xabc0|%+0");
}

TEST(it_ends_where_the_room_ends)
{
    char line[8];
    struct line t = {line, 5, 0};
    memset(line, 'x', sizeof(line));
    message_add(&t, "%u", (u64)1234567);
    CHECK_STR(line, "1234");
    CHECK_EQ(line[5], 'x');
    struct line none = {line, 0, 0};
    message_add(&none, "abc");
    CHECK_STR(line, "1234");
}

TEST(extremes)
{
    char line[100];
    struct line t = {line, sizeof(line), 0};
    message_add(&t, "%ld %u", (s64)(1ULL << 63), ~0ULL);
    CHECK_STR(line, "-9223372036854775808 18446744073709551615");
}
