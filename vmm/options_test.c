// SPDX-License-Identifier: Apache-2.0
#include "vmm/options.h"
#include "base/test.h"
#include "vmm/run_options.h"

#include <stdlib.h>

// Parses up to eight words.
struct line {
    struct run_options o;
    struct err e;
    bool ok;
};

static struct line parse(const char *words)
{
    static char copy[256];
    char *argv[16], *rest = copy;
    int argc = 0;
    snprintf(copy, sizeof(copy), "%s", words);
    for (char *word; (word = strsep(&rest, " "));)
        argv[argc++] = word;
    struct line l = {.ok = false};
    l.ok = options_parse(run_option_table, "kernel", argc, argv, &l.o, &l.e);
    return l;
}

static void expect_error(const char *words, const char *message)
{
    struct line l = parse(words);
    CHECK(!l.ok);
    CHECK_STR(l.e.text, message);
    options_free(run_option_table, &l.o);
}

static void expect_memory(const char *words, const char *memory)
{
    struct line l = parse(words);
    CHECK(l.ok);
    CHECK_STR(l.o.memory ? l.o.memory : "nothing", memory);
    options_free(run_option_table, &l.o);
}

TEST(one_dash_or_two_and_values_in_either_place)
{
    expect_memory("-m 1G", "1G");
    expect_memory("--m 1G", "1G");
    expect_memory("-m=1G", "1G");
    expect_memory("--m=1G", "1G");
    expect_memory("-m size=1G", "size=1G");
    expect_memory("-m=size=1G", "size=1G");
    expect_memory("-m=", "");
    expect_memory("-m -1", "-1");
    expect_memory("-m 1G -smp 2 -m 2G", "2G");
}

TEST(names_have_case_and_second_names)
{
    struct line l = parse("-d a -D b -M c -h");
    CHECK(l.ok);
    CHECK_STR(l.o.log, "a");
    CHECK_STR(l.o.log_file, "b");
    CHECK_STR(l.o.machine, "c");
    CHECK(l.o.help && !l.o.no_reboot);
    options_free(run_option_table, &l.o);
}

TEST(lists_keep_their_order)
{
    struct line l = parse("-serial a -device x -serial=b --serial c");
    CHECK(l.ok);
    REQUIRE(l.o.serials.n == 3);
    CHECK_STR(l.o.serials.texts[0], "a");
    CHECK_STR(l.o.serials.texts[1], "b");
    CHECK_STR(l.o.serials.texts[2], "c");
    CHECK_EQ(l.o.devices.n, 1);
    options_free(run_option_table, &l.o);
    CHECK_EQ(l.o.serials.n, 0);
}

TEST(a_word_without_a_dash_is_the_kernel)
{
    struct line l = parse("-smp 2 vmlinuz -no-reboot");
    CHECK(l.ok && l.o.no_reboot);
    CHECK_STR(l.o.kernel, "vmlinuz");
    l = parse("-- -smp");
    CHECK(l.ok && !l.o.smp);
    CHECK_STR(l.o.kernel, "-smp");
    l = parse("-");
    CHECK(l.ok);
    CHECK_STR(l.o.kernel, "-");
}

TEST(what_cannot_be)
{
    expect_error("-kernel a b", "'b': the kernel is 'a' already; give one");
    expect_error("a -kernel=b", "'b': the kernel is 'a' already; give one");
    expect_error("-smp", "option '-smp' needs a value: -smp N");
    expect_error("--smp", "option '--smp' needs a value: --smp N");
    expect_error("-no-reboot=on", "option '-no-reboot' takes no value");
    expect_error("-kernl=x", "unknown option '-kernl'; did you mean '-kernel'?");
    expect_error("--pid-file x", "unknown option '--pid-file'; did you mean '--pidfile'?");
    expect_error("-x", "unknown option '-x'; --help lists them");
    expect_error("-=", "unknown option '-'; --help lists them");
}

TEST(nearest_names)
{
    static const char *const names[] = {"virt", "serial", "initrd", "m", NULL};
    CHECK_STR(nearest_name("vrit", names), "virt");
    CHECK_STR(nearest_name("serail", names), "serial");
    CHECK_STR(nearest_name("initramfs", names), "initrd");
    CHECK(!nearest_name("x", names));
    CHECK(!nearest_name("", names));
    CHECK(!nearest_name("something else that is far too long", names));
}

TEST(help_has_every_option)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    options_print(run_option_table, "-", to);
    fclose(to);
    unsigned n = 0;
    for (const struct option *o = run_option_table; !options_at_end(o); o++) {
        char line[256];
        snprintf(line, sizeof(line), o->kind == OPTION_GROUP ? "\n%s:\n" : "  -%s", o->name);
        CHECK(strstr(text, line));
        if (o->kind == OPTION_GROUP)
            continue;
        snprintf(line, sizeof(line), "        %s\n", o->doc);
        CHECK(strstr(text, line));
        CHECK(!o->argument || strstr(text, o->argument));
        n++;
    }
    CHECK(n > 20);
    free(text);
}

TEST(names_are_told_apart)
{
    for (const struct option *a = run_option_table; !options_at_end(a); a++)
        for (const struct option *b = a + 1; !options_at_end(b); b++)
            if (a->kind != OPTION_GROUP && b->kind != OPTION_GROUP)
                CHECK(strcmp(a->name, b->name) != 0);
}
