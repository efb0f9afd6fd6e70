// SPDX-License-Identifier: Apache-2.0
// What comes in at the monitor's socket, up to the commands: bytes become lines, lines words, words
// numbers and formats, or one message.
#include "base/bug.h"
#include "vmm/monitor_line.h"
#include "vmm/monitor_words.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static bool get_register(void *opaque, const char *name, u64 *value)
{
    *value = strlen(name);
    return name[0] == 's';
}

// Refused with a message of one line, or understood without one.
static void check(bool ok, struct err *e)
{
    BUG_ON(ok == err_is_set(e) || strchr(e->text, '\n'));
    *e = (struct err){0};
}

static void check_word(const char *word)
{
    const struct monitor_registers r = {.get = get_register};
    struct monitor_format f = {.count = 1, .format = 'x', .size = 8};
    struct err e = {0};
    u64 value;
    check(monitor_number(word, &r, &value, &e), &e);
    bool ok = monitor_count(word, 100, "a count", &value, &e);
    BUG_ON(ok && value > 100);
    check(ok, &e);
    check(monitor_format_parse(word, &f, &e), &e);
    BUG_ON(!f.count || f.count > MONITOR_MAX_FORMAT || !f.size || f.size > 8);
}

static void check_line(struct monitor_line *l)
{
    struct monitor_words w;
    struct err e = {0};
    BUG_ON(strlen(l->text) != l->n);
    bool ok = monitor_split(l->text, &w, &e);
    BUG_ON(w.n > MONITOR_MAX_WORDS);
    for (unsigned i = 0; i < w.n; i++) {
        BUG_ON(!*w.word[i]);
        check_word(w.word[i]);
    }
    check(ok, &e);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct monitor_line l = {0};
    struct text echo = {0};
    for (size_t i = 0; i < size; i++) {
        enum monitor_line_event event = monitor_line_take(&l, data[i], &echo);
        BUG_ON(l.n >= sizeof(l.text) || l.text[l.n]);
        if (event == LINE_DONE)
            check_line(&l);
        if (event != LINE_NOTHING)
            monitor_line_clear(&l);
    }
    text_free(&echo);
    return 0;
}
