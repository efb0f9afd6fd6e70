// SPDX-License-Identifier: Apache-2.0
#include "host/console/escape.h"
#include "base/test.h"

static void keep(void *opaque, char key)
{
    char *keys = opaque;
    keys[strlen(keys)] = key;
}

static size_t filter(struct escape *x, const char *in, char *out)
{
    size_t n = strlen(in);
    memcpy(out, in, n + 1);
    n = escape_filter(x, (u8 *)out, n);
    out[n] = 0;
    return n;
}

TEST(sequences_are_taken_out)
{
    char keys[8] = "", out[32];
    struct escape x = {.pressed = keep, .opaque = keys};
    filter(&x, "ab\1xcd\1h\1be", out);
    CHECK_STR(out, "abcde");
    CHECK_STR(keys, "xhb");
}

TEST(escape_twice_is_one_byte)
{
    char keys[8] = "", out[32];
    struct escape x = {.pressed = keep, .opaque = keys};
    filter(&x, "\1\1x\1\1\1c", out);
    CHECK_STR(out, "\1x\1");
    CHECK_STR(keys, "c");
}

TEST(a_sequence_may_be_cut)
{
    char keys[8] = "", out[32];
    struct escape x = {.pressed = keep, .opaque = keys};
    CHECK_EQ(filter(&x, "\1", out), 0);
    CHECK_EQ(filter(&x, "x", out), 0);
    CHECK_STR(keys, "x");
    CHECK_EQ(filter(&x, "\1", out), 0);
    CHECK_EQ(filter(&x, "\1", out), 1);
    CHECK_EQ(filter(&x, "x", out), 1);
    CHECK_STR(keys, "x");
}
