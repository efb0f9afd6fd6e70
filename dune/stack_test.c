// SPDX-License-Identifier: Apache-2.0
#include "dune/stack.h"
#include "base/test.h"

#include <elf.h>

#define AT 0x7000000000ULL

static u8 buffer[4096];
static const u8 chance[16] = "0123456789abcde";

static const char *text_at(u64 address)
{
    return address - AT < sizeof(buffer) ? (char *)buffer + (address - AT) : "outside";
}

static u64 word(u64 at, u64 i)
{
    u64 value;
    memcpy(&value, buffer + (at - AT) + 8 * i, sizeof(value));
    return value;
}

TEST(a_program_finds_everything)
{
    const struct stack_word words[] = {{AT_PAGESZ, 4096}};
    u64 text[3] = {0};
    const struct stack s = {.arguments = (char *[]){"ls", "-l", "", NULL},
                            .environment = (char *[]){"A=1", "B=", NULL},
                            .file = "/bin/ls",
                            .random = chance,
                            .words = words,
                            .n_words = 1};
    u64 sp = stack_build(&s, buffer, sizeof(buffer), AT, text);
    REQUIRE(sp >= AT && sp < AT + sizeof(buffer));
    CHECK_EQ(sp & 15, 0);
    CHECK_EQ(word(sp, 0), 3);
    CHECK_STR(text_at(word(sp, 1)), "ls");
    CHECK_STR(text_at(word(sp, 2)), "-l");
    CHECK_STR(text_at(word(sp, 3)), "");
    CHECK_EQ(word(sp, 4), 0);
    CHECK_STR(text_at(word(sp, 5)), "A=1");
    CHECK_STR(text_at(word(sp, 6)), "B=");
    CHECK_EQ(word(sp, 7), 0);
    CHECK_EQ(word(sp, 8), AT_PAGESZ);
    CHECK_EQ(word(sp, 10), AT_EXECFN);
    CHECK_STR(text_at(word(sp, 11)), "/bin/ls");
    CHECK_EQ(word(sp, 12), AT_RANDOM);
    CHECK_EQ(memcmp(text_at(word(sp, 13)), chance, 16), 0);
    CHECK_EQ(word(sp, 16), AT_NULL);
    CHECK_EQ(text[0], word(sp, 1));
    CHECK_EQ(text[1], word(sp, 5));
}

TEST(texts_lie_one_behind_the_other)
{
    u64 text[3];
    const struct stack s = {.arguments = (char *[]){"a", "bc", NULL},
                            .environment = (char *[]){NULL},
                            .file = "a",
                            .random = chance};
    stack_build(&s, buffer, sizeof(buffer), AT, text);
    CHECK_EQ(memcmp(text_at(text[0]), "a\0bc", 5), 0);
    CHECK_EQ(text[1], text[0] + 5);
}

TEST(too_much_is_refused)
{
    static char large[5000];
    u64 text[3];
    memset(large, 'x', sizeof(large) - 1);
    struct stack s = {.arguments = (char *[]){large, NULL},
                      .environment = (char *[]){NULL},
                      .file = "a",
                      .random = chance};
    CHECK_EQ(stack_build(&s, buffer, sizeof(buffer), AT, text), 0);
    large[4000] = 0;
    CHECK_EQ(stack_build(&s, buffer, sizeof(buffer), AT, text), 0);
    large[3000] = 0;
    CHECK(stack_build(&s, buffer, sizeof(buffer), AT, text) != 0);
}
