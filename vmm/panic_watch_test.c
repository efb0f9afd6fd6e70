// SPDX-License-Identifier: Apache-2.0
#include "vmm/panic_watch.h"
#include "base/clock.h"
#include "base/test.h"

static const char line[] = "[    1.5] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n";

static void note(struct panic_watch *w, struct panic_place *p, const char *text, u64 now)
{
    panic_watch_note(w, p, text, strlen(text), now);
}

static bool finds(const char *text)
{
    struct panic_watch w = {0};
    struct panic_place p = {0};
    note(&w, &p, text, 7);
    return w.has_panicked;
}

TEST(the_message_is_found_wherever_it_is)
{
    CHECK(finds("Kernel panic - not syncing"));
    CHECK(finds(line));
    CHECK(finds("---[ end Kernel panic - not syncing: Attempted to kill init! ]---"));
    CHECK(finds("KKernel panic - not syncing"));
    CHECK(finds("Kernel panic - Kernel panic - not syncing"));
    CHECK(finds("Kernel Kernel panic - not syncing"));
}

TEST(what_only_looks_like_it_is_not)
{
    CHECK(!finds(""));
    CHECK(!finds("Kernel panic - not syncin"));
    CHECK(!finds("kernel panic - not syncing"));
    CHECK(!finds("Kernel panic - no syncing"));
    CHECK(!finds("Kernel panic\n - not syncing"));
}

TEST(it_may_be_cut_anywhere)
{
    size_t n = sizeof(line) - 1;
    for (size_t cut = 0; cut <= n; cut++) {
        struct panic_watch w = {0};
        struct panic_place p = {0};
        panic_watch_note(&w, &p, line, cut, 1);
        panic_watch_note(&w, &p, line + cut, n - cut, 2);
        CHECK(w.has_panicked);
    }
}

TEST(ports_do_not_mix)
{
    struct panic_watch w = {0};
    struct panic_place a = {0}, b = {0};
    for (size_t i = 0; i < sizeof(line) - 1; i++) {
        panic_watch_note(&w, &a, line + i, 1, i);
        note(&w, &b, "x", i);
    }
    CHECK(w.has_panicked);
    struct panic_watch torn = {0};
    struct panic_place c = {0}, d = {0};
    note(&torn, &c, "Kernel panic - ", 1);
    note(&torn, &d, "not syncing", 2);
    CHECK(!torn.has_panicked);
}

TEST(it_is_over_after_a_second_of_silence)
{
    struct panic_watch w = {0};
    struct panic_place p = {0};
    u64 s = NS_PER_SEC;
    note(&w, &p, "booting", 0);
    CHECK(!panic_watch_is_over(&w, 100 * s));
    note(&w, &p, line, 100 * s);
    CHECK(!panic_watch_is_over(&w, 100 * s + s / 2));
    note(&w, &p, "CPU: 0", 100 * s + s / 2);
    CHECK(!panic_watch_is_over(&w, 101 * s + s / 4));
    CHECK(panic_watch_is_over(&w, 101 * s + s / 2));
}

TEST(endless_output_is_cut)
{
    struct panic_watch w = {0};
    struct panic_place p = {0};
    u64 s = NS_PER_SEC, i = 0;
    note(&w, &p, line, 0);
    for (i = 0; i < 1000 && !panic_watch_is_over(&w, i * s / 10); i++)
        note(&w, &p, i % 2 ? line : "more", i * s / 10);
    CHECK_EQ(i, 100);
}
