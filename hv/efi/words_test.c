// SPDX-License-Identifier: Apache-2.0
#include "hv/efi/words.h"
#include "base/test.h"

#include <string.h>

static bool parse(struct words *w, const char *text)
{
    char why[100];
    words_init(w);
    return words_parse(w, text, why, sizeof(why));
}

TEST(words_are_taken)
{
    struct words w;
    CHECK(parse(&w, ""));
    CHECK(!strcmp(w.system, "system.cell") && !w.next[0] && !w.pool_size);
    CHECK(parse(&w, "# what comes next = this\r\n pool=512M\tnext=\\EFI\\debian\\grub.efi # =\n"));
    CHECK(!strcmp(w.next, "\\EFI\\debian\\grub.efi"));
    CHECK(!strcmp(w.next_options, "# ="));
    CHECK_EQ(w.pool_size, 512 << 20);
    CHECK(parse(&w, "next=linux  root=/dev/vda pool=a\r\nsystem=b"));
    CHECK(!strcmp(w.next_options, "root=/dev/vda pool=a"));
    CHECK(!strcmp(w.system, "b"));
    CHECK(parse(&w, "pool=1G system=a"));
    CHECK_EQ(w.pool_size, 1 << 30);
    CHECK(!strcmp(w.system, "a"));
    CHECK(!w.shows_cpu);
    CHECK(parse(&w, "show=processor pool=32M"));
    CHECK(w.shows_cpu);
}

TEST(wrong_words_are_named)
{
    static const char *const wrong[] = {
        "pool=",       "pool=33M",  "pool=32",    "pool=M",          "pool=32MM",
        "pool=0M",     "pool=-32M", "pool",       "next=",           "sytem=a",
        "=",           "next",      "nextfile=a", "system",          "pool=32K",
        "pool=32M32M", "pool=32M,", "show=",      "show=processors", "show=cpu"};
    struct words w;
    char why[100];
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        words_init(&w);
        CHECK(!words_parse(&w, wrong[i], why, sizeof(why)));
        CHECK(why[0] == '\'' && !strncmp(why + 1, wrong[i], strlen(wrong[i])));
    }
    char word[400] = "next=";
    memset(word + 5, 'a', sizeof(word) - 6);
    CHECK(!words_parse(&w, word, why, sizeof(why)));
}

static bool options(char *to, u32 size, const char *from)
{
    u16 wide[64];
    u32 n = 0;
    do
        wide[n] = (u8)from[n];
    while (from[n++]);
    return words_of_options(to, size, wide, n * 2);
}

TEST(load_options)
{
    char text[40];
    CHECK(options(text, sizeof(text), "hv.efi pool=32M"));
    CHECK(!strcmp(text, "       pool=32M"));
    CHECK(options(text, sizeof(text), "pool=32M"));
    CHECK(!strcmp(text, "pool=32M"));
    CHECK(!options(text, sizeof(text), ""));
    CHECK(!options(text, sizeof(text), "hv.efi "));
    CHECK(!options(text, sizeof(text), "\x01\x02"));
    CHECK(!options(text, sizeof(text), "\xe4=1"));
    CHECK(options(text, 8, "pool=32M"));
    CHECK_EQ(strlen(text), 7);
}
