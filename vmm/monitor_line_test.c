// SPDX-License-Identifier: Apache-2.0
#include "vmm/monitor_line.h"
#include "base/test.h"

// Takes bytes until something happens; *rest is what follows.
static enum monitor_line_event take(struct monitor_line *l, const char **rest, struct text *echo)
{
    enum monitor_line_event event = LINE_NOTHING;
    while (event == LINE_NOTHING && **rest)
        event = monitor_line_take(l, (u8) * (*rest)++, echo);
    return event;
}

static void expect(const char *keys, enum monitor_line_event want, const char *line,
                   const char *shown)
{
    struct monitor_line l = {0};
    struct text echo = {0};
    CHECK_EQ(take(&l, &keys, &echo), want);
    CHECK_STR(l.text, line);
    CHECK_STR(text_string(&echo), shown);
    CHECK_STR(keys, "");
    text_free(&echo);
}

TEST(a_line_is_what_was_typed)
{
    expect("info status\r", LINE_DONE, "info status", "info status\n");
    expect("info\tstatus\n", LINE_DONE, "info status", "info status\n");
    expect("infx\bo\177o\n", LINE_DONE, "info", "infx\b \bo\b \bo\n");
    expect("\b\b\n", LINE_DONE, "", "\n");
    expect("abc\25de\n", LINE_DONE, "de", "abc\b \b\b \b\b \bde\n");
    expect("\303\244\b\n", LINE_DONE, "", "\303\244\b \b\n");
}

TEST(keys_that_mean_nothing_are_ignored)
{
    expect("a\33[A\33[1;5Db\33Oc\33xd\1\2\n", LINE_DONE, "abd", "abd\n");
    expect("a\33\33[Ab\n", LINE_DONE, "ab", "ab\n");
    expect("ab\4c\n", LINE_DONE, "abc", "abc\n");
}

TEST(a_line_can_be_given_up)
{
    expect("abc\3", LINE_DROPPED, "abc", "abc^C\n");
    expect("\4", LINE_LEAVE, "", "");
}

TEST(a_line_end_may_have_two_bytes)
{
    struct monitor_line l = {0};
    const char *keys = "one\r\ntwo\n\nthree\r\r\n";
    static const char *const lines[] = {"one", "two", "", "three", ""};
    for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
        CHECK_EQ(take(&l, &keys, NULL), LINE_DONE);
        CHECK_STR(l.text, lines[i]);
        monitor_line_clear(&l);
    }
    CHECK_EQ(take(&l, &keys, NULL), LINE_NOTHING);
}

TEST(a_line_that_is_too_long_is_one_line)
{
    struct monitor_line l = {0};
    for (unsigned i = 0; i < 100000; i++)
        CHECK_EQ(monitor_line_take(&l, 'x', NULL), LINE_NOTHING);
    CHECK_EQ(strlen(l.text), MONITOR_LINE_MAX - 1);
    CHECK_EQ(monitor_line_take(&l, '\n', NULL), LINE_TOO_LONG);
    monitor_line_clear(&l);
    CHECK_EQ(monitor_line_take(&l, '\n', NULL), LINE_DONE);
    CHECK_STR(l.text, "");
}
