// SPDX-License-Identifier: Apache-2.0
#include "base/option.h"
#include "base/test.h"

TEST(options_are_cut_at_single_commas)
{
    char text[] = "user,id=n0,file=a,,b=c,flag,";
    char *rest = text;
    CHECK_STR(option_next(&rest), "user");
    char *o = option_next(&rest);
    CHECK_STR(option_value(o), "n0");
    CHECK_STR(o, "id");
    o = option_next(&rest);
    CHECK_STR(option_value(o), "a,b=c");
    CHECK_STR(o, "file");
    o = option_next(&rest);
    CHECK_STR(option_value(o), "on");
    CHECK_STR(o, "flag");
    CHECK_STR(option_next(&rest), "");
    CHECK(!rest);
    char commas[] = ",,,";
    rest = commas;
    CHECK_STR(option_next(&rest), ",");
    CHECK_STR(option_next(&rest), "");
    CHECK(!rest);
}

TEST(booleans)
{
    struct err e = {0};
    bool b = false;
    CHECK(option_bool("x", "on", &b, &e) && b);
    CHECK(option_bool("x", "no", &b, &e) && !b);
    CHECK(option_bool("x", "true", &b, &e) && b);
    CHECK(!option_bool("x", "1", &b, &e));
    CHECK_STR(e.text, "x=1: only on and off are there");
}
