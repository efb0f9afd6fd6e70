// SPDX-License-Identifier: Apache-2.0
#include "vmm/accel_option.h"
#include "base/test.h"

static struct accel_option parsed(const char *text)
{
    struct accel_option a = {0};
    struct err e = {0};
    CHECK(accel_option_parse(text, &a, &e));
    CHECK_STR(e.text, "");
    return a;
}

static void expect_error(const char *text, const char *message)
{
    struct accel_option a;
    struct err e = {0};
    CHECK(!accel_option_parse(text, &a, &e));
    CHECK_STR(e.text, message);
}

TEST(names)
{
    CHECK_EQ(parsed(NULL).kind, ACCEL_DEFAULT);
    CHECK_EQ(parsed("jit").kind, ACCEL_JIT);
    CHECK_EQ(parsed("interp").kind, ACCEL_INTERP);
    CHECK_EQ(parsed("kvm").kind, ACCEL_KVM);
    expect_error("inter", "-accel: there is no 'inter'; did you mean interp?");
    expect_error("", "-accel: there is no ''; -accel help lists them");
}

TEST(switches_say_what_is_on)
{
    struct jit_options plain = parsed("jit").jit;
    CHECK(!plain.one_insn && !plain.no_slots && !plain.no_chain && !plain.no_evex && !plain.check &&
          !plain.no_ras);
    CHECK_EQ(plain.flush_every, 0);
    CHECK_EQ(plain.access_form, 0);
    CHECK_EQ(parsed("jit,access-form=2").jit.access_form, 2);
    struct jit_options odd =
        parsed("jit,one-insn=on,slots=off,chain=no,evex=off,avx=off,check,ras=off,flush-every=77")
            .jit;
    CHECK(odd.one_insn && odd.no_slots && odd.no_chain && odd.no_evex && odd.no_avx && odd.check &&
          odd.no_ras);
    CHECK_EQ(odd.flush_every, 77);
    struct jit_options back = parsed("jit,slots=off,one-insn=on,slots=on,one-insn=off").jit;
    CHECK(!back.no_slots && !back.one_insn);
}

TEST(links_are_of_both_engines)
{
    CHECK(!parsed("jit").exact_links && !parsed("interp,llsc=value").exact_links);
    CHECK(parsed("interp,llsc=exact").exact_links);
    struct accel_option jit = parsed("jit,slots=off,llsc=exact");
    CHECK(jit.exact_links && jit.jit.exact_links && jit.jit.no_slots);
}

TEST(what_is_wrong_is_named)
{
    expect_error("jit,slot=on", "-accel jit: no property 'slot'; did you mean slots?");
    expect_error("jit,warp=9", "-accel jit: no property 'warp'; -accel help lists them");
    expect_error("jit,slots=2", "-accel jit: slots=2: only on and off are there");
    expect_error("jit,flush-every=x", "-accel jit: flush-every=x: write a number");
    expect_error("jit,flush-every=-1", "-accel jit: flush-every=-1: write a number");
    expect_error("jit,flush-every=4294967296",
                 "-accel jit: flush-every=4294967296: write a number");
    expect_error("jit,flush-every", "-accel jit: flush-every=on: write a number");
    expect_error("jit,", "-accel jit: no property ''; -accel help lists them");
    expect_error("interp,check=on", "-accel interp: no property 'check'; -accel help lists them");
    expect_error("kvm,llsc=exact", "-accel kvm: it has no properties, and 'llsc=exact' was given");
    expect_error("jit,llsc=on", "-accel jit: llsc=on: only exact and value are there");
}
