// SPDX-License-Identifier: Apache-2.0
#include "vmm/icount_option.h"
#include "base/test.h"

static void expect_error(const char *text, const char *message)
{
    struct icount_option i;
    struct err e = {0};
    CHECK(!icount_option_parse(&i, text, &e));
    CHECK_STR(e.text, message);
}

static struct icount_option parse(const char *text)
{
    struct icount_option i;
    struct err e = {0};
    CHECK(icount_option_parse(&i, text, &e));
    return i;
}

TEST(words)
{
    CHECK(!parse(NULL).is_on);
    CHECK(!parse("off").is_on);
    CHECK(parse("on").is_on);
    CHECK_EQ(parse("on").shift, 0);
    CHECK(parse("shift=3").is_on);
    CHECK_EQ(parse("shift=3").shift, 3);
    CHECK_EQ(parse("on,shift=10").shift, 10);
    CHECK(!parse("shift=3,off").is_on);
}

TEST(mistakes)
{
    expect_error("", "-icount : no ''; there are on, off and shift=N");
    expect_error("sleep=off", "-icount sleep=off: no 'sleep'; there are on, off and shift=N");
    expect_error("shift=11", "-icount shift=11: shift=11: a number from 0 (1 ns for each "
                             "instruction) to 10 is wanted");
    expect_error("shift", "-icount shift: shift=on: a number from 0 (1 ns for each instruction) to "
                          "10 is wanted");
    expect_error("shift=auto", "-icount shift=auto: shift=auto follows the host's time, and no run "
                               "is like another; write a number");
}

static void check(const struct run_options *o, const char *message)
{
    struct err e = {0};
    CHECK_EQ(icount_option_check(o, &e), !message);
    CHECK_STR(e.text, message ? message : "");
}

TEST(what_cannot_be_counted_is_refused)
{
    const char *user = "user", *none = "none", *tap = "tap,id=n";
    check(&(struct run_options){.accel = "kvm"}, NULL);
    check(&(struct run_options){.icount = "on"}, NULL);
    check(&(struct run_options){.icount = "on", .accel = "kvm"},
          "-icount: the host's own processors do not count; use -accel jit or interp");
    check(&(struct run_options){.icount = "on", .nics = {&none, 1}}, NULL);
    check(&(struct run_options){.icount = "on", .nics = {&user, 1}},
          "-icount: no run is like another with a network; write -nic none");
    check(&(struct run_options){.icount = "off", .nics = {&user, 1}}, NULL);
    check(&(struct run_options){.icount = "on", .netdevs = {&tap, 1}},
          "-icount: no run is like another with a network; leave out -netdev");
}
