// SPDX-License-Identifier: Apache-2.0
#include "vmm/cpu_option.h"
#include "base/test.h"
#include "cpu/loongarch64/state.h"

#include <stdlib.h>

static u64 stopped(void *opaque)
{
    return 0;
}

// The feature's bit in a processor made from `text`, -1 with a message.
static int feature(const char *text, const char *name, struct err *e)
{
    struct clock clock = {.now = stopped};
    struct cpu_bus bus = {.clock = &clock};
    struct cpu *cpu = cpu_option_new((void *)(uintptr_t)text, &bus, 0, e);
    if (!cpu)
        return -1;
    int bit = -1;
    for (const struct la_feature *f = la_features; f->name; f++)
        if (!strcmp(f->name, name))
            bit = ((struct la_cpu *)cpu)->cpucfg[f->word] >> f->bit & 1;
    cpu->ops->free(cpu);
    return bit;
}

static void expect_error(const char *text, const char *message)
{
    struct err e = {0}, from_check = {0};
    CHECK_EQ(feature(text, "lsx", &e), (u64)-1);
    CHECK_STR(e.text, message);
    CHECK(!cpu_option_check(text, &from_check));
    CHECK_STR(from_check.text, message);
}

TEST(models_and_features)
{
    struct err e = {0};
    CHECK_EQ(feature(NULL, "lamcas", &e), 1);
    CHECK_EQ(feature("max", "lamcas", &e), 1);
    CHECK_EQ(feature("la464", "lamcas", &e), 0);
    CHECK_EQ(feature("la464,lamcas=on", "lamcas", &e), 1);
    CHECK_EQ(feature("max,lsx=off", "lasx", &e), 0);
    CHECK_EQ(feature("max,crc=off,crc=on", "crc", &e), 1);
    CHECK(cpu_option_check(NULL, &e) && cpu_option_check("la464,lasx=off", &e));
    CHECK_STR(e.text, "");
}

TEST(what_is_wrong)
{
    expect_error("mx", "-cpu: no model 'mx'; did you mean max?");
    expect_error("", "-cpu: no model ''; -cpu help lists them");
    expect_error("max,", "-cpu: '': write FEATURE=on or FEATURE=off");
    expect_error("max,lsx", "-cpu: 'lsx': write FEATURE=on or FEATURE=off");
    expect_error("max,lsx=yes", "-cpu: lsx=yes: write lsx=on or lsx=off");
    expect_error("max,gidbits=9", "-cpu: gidbits=9: not a number from 1 to 8");
    expect_error("max,lvz-titp=1", "-cpu: lvz-titp=1: write lvz-titp=on or lvz-titp=off");
    expect_error("max,tlb=none",
                 "-cpu: tlb=none: write one of normal|never-evict|always-evict|random");
    expect_error("max,tlb=", "-cpu: tlb=: write one of normal|never-evict|always-evict|random");
    expect_error("max,lasq=on", "-cpu: no feature 'lasq'; did you mean lasx?");
}

TEST(features_that_need_others)
{
    struct err e = {0};
    CHECK_EQ(feature("la464,lsx=on,lasx=on", "lasx", &e), 1);
    CHECK_EQ(feature("max,lasx=on,lsx=off", "lasx", &e), 0); // the last word counts
    CHECK_EQ(feature("max,lsx=off,lasx=on", "lasx", &e), (u64)-1);
    CHECK_STR(e.text, "-cpu: lasx=on: what it needs is off: lasx needs lsx, which needs fp");
    e = (struct err){0};
    CHECK_EQ(feature("max,fp=off,lsx=on", "lsx", &e), (u64)-1);
    CHECK(err_is_set(&e));
}

TEST(help_has_every_model_and_feature)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    cpu_option_help(to);
    fclose(to);
    for (const struct la_model *m = la_models; m->name; m++)
        CHECK(strstr(text, m->name) && strstr(text, m->doc));
    for (const struct la_feature *f = la_features; f->name; f++)
        CHECK(strstr(text, f->name) && strstr(text, f->doc));
    free(text);
}

TEST(choices_of_the_virtualization_extension)
{
    struct err e = {0};
    struct clock clock = {.now = stopped};
    struct cpu_bus bus = {.clock = &clock};
    struct cpu *cpu = cpu_option_new("max,gidbits=2,lvz-titp=off,lsx=off", &bus, 0, &e);
    REQUIRE(cpu);
    CHECK_EQ(((struct la_cpu *)cpu)->lvz.gidbits, 2);
    CHECK(!((struct la_cpu *)cpu)->lvz.titp);
    cpu->ops->free(cpu);
}
