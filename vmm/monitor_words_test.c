// SPDX-License-Identifier: Apache-2.0
#include "vmm/monitor_words.h"
#include "base/test.h"

static bool get(void *opaque, const char *name, u64 *value)
{
    *value = 0x9000000000001000;
    return !strcmp(name, "sp");
}

static const struct monitor_registers registers = {.get = get};

static void expect_words(const char *line, unsigned n, const char *first, const char *last)
{
    struct err e = {0};
    struct monitor_words w;
    char copy[256];
    strcpy(copy, line);
    CHECK(monitor_split(copy, &w, &e));
    CHECK_EQ(w.n, n);
    if (n) {
        CHECK_STR(w.word[0], first);
        CHECK_STR(w.word[n - 1], last);
    }
}

TEST(a_line_has_words)
{
    expect_words("", 0, NULL, NULL);
    expect_words("    ", 0, NULL, NULL);
    expect_words("help", 1, "help", "help");
    expect_words("  info   status ", 2, "info", "status");
    expect_words("x/4gx 0x1000", 3, "x", "0x1000");
    expect_words("x /4gx", 2, "x", "/4gx");
    expect_words("x/4gx", 2, "x", "/4gx");
    expect_words("1 2 3 4 5 6 7 8", 8, "1", "8");
}

TEST(too_many_words_are_refused)
{
    char line[] = "1 2 3 4 5 6 7 8 9", format[] = "x/1234567890123456";
    struct err e = {0};
    struct monitor_words w;
    CHECK(!monitor_split(line, &w, &e));
    CHECK_STR(e.text, "too many words: a command has at most 8");
    CHECK(!monitor_split(format, &w, &e));
}

static void expect_number(const char *text, u64 want)
{
    struct err e = {0};
    u64 value = 0;
    CHECK(monitor_number(text, &registers, &value, &e));
    CHECK_EQ(value, want);
}

static void refuse_number(const char *text, const char *message)
{
    struct err e = {0};
    u64 value = 0;
    CHECK(!monitor_number(text, &registers, &value, &e));
    CHECK_STR(e.text, message);
}

TEST(numbers)
{
    expect_number("0", 0);
    expect_number("0010", 10);
    expect_number("0xFFFFffffFFFFffff", ~0ULL);
    expect_number("18446744073709551615", ~0ULL);
    expect_number("$sp", 0x9000000000001000);
    expect_number("$sp+0x10-8", 0x9000000000001008);
    expect_number("8-$sp", 8 - 0x9000000000001000);
    refuse_number("", "'' is not a number; write 0x1000, 4096, $sp or $sp+16");
    refuse_number("0x", "'0x' is not a number; write 0x1000, 4096, $sp or $sp+16");
    refuse_number("-1", "'-1' is not a number; write 0x1000, 4096, $sp or $sp+16");
    refuse_number("1+", "'1+' is not a number; write 0x1000, 4096, $sp or $sp+16");
    refuse_number("12q", "'12q' is not a number; write 0x1000, 4096, $sp or $sp+16");
    refuse_number("99999999999999999999",
                  "'99999999999999999999' is not a number; write 0x1000, 4096, $sp or $sp+16");
    refuse_number("sp", "'sp' is not a number; the register is $sp");
    refuse_number("$no", "'$no': there is no such register; $pc, $sp, $a0 or $era are");
    refuse_number("$", "'$': there is no such register; $pc, $sp, $a0 or $era are");
}

TEST(counts_have_a_limit)
{
    struct err e = {0};
    u64 n;
    CHECK(monitor_count("3", 3, "a processor", &n, &e));
    CHECK_EQ(n, 3);
    CHECK(!monitor_count("4", 3, "a processor", &n, &e));
    CHECK_STR(e.text, "'4' is not a processor; write a number up to 3");
    CHECK(!monitor_count("1x", 3, "a processor", &n, &e));
}

static void expect_format(const char *text, unsigned count, char format, unsigned size)
{
    struct err e = {0};
    struct monitor_format f = {1, 'x', 8};
    CHECK(monitor_format_parse(text, &f, &e));
    CHECK_EQ(f.count, count);
    CHECK_EQ(f.format, format);
    CHECK_EQ(f.size, size);
}

static void refuse_format(const char *text)
{
    struct err e = {0};
    struct monitor_format f = {1, 'x', 8};
    CHECK(!monitor_format_parse(text, &f, &e));
    CHECK(err_is_set(&e));
}

TEST(formats)
{
    expect_format("/8gx", 8, 'x', 8);
    expect_format("/8xg", 8, 'x', 8);
    expect_format("/d", 1, 'd', 8);
    expect_format("/4b", 4, 'x', 1);
    expect_format("/1024i", 1024, 'i', 8);
    refuse_format("/");
    refuse_format("8x");
    refuse_format("/0x");
    refuse_format("/1025x");
    refuse_format("/99999999999999999999x");
    refuse_format("/8q");
    refuse_format("/x8");
}
