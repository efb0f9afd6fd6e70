// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "base/test.h"

TEST(a_text_grows)
{
    struct text t = {0};
    CHECK_STR(text_string(&t), "");
    for (unsigned i = 0; i < 1000; i++)
        text_add(&t, "%u,", i % 10);
    CHECK_EQ(t.n, 2000);
    CHECK_EQ(strlen(text_string(&t)), 2000);
    CHECK(!strncmp(text_string(&t), "0,1,2,", 6));
    text_clear(&t);
    CHECK_STR(text_string(&t), "");
    text_add_bytes(&t, "abcdef", 3);
    CHECK_STR(text_string(&t), "abc");
    text_free(&t);
    CHECK_STR(text_string(&t), "");
}

TEST(padding_counts_from_the_line)
{
    struct text t = {0};
    text_pad(&t, 2);
    text_add(&t, "a\nb");
    text_pad(&t, 4);
    text_add(&t, "c");
    text_pad(&t, 3);
    text_add(&t, "d");
    CHECK_STR(text_string(&t), "  a\nb   cd");
    text_free(&t);
}
