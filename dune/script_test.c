// SPDX-License-Identifier: Apache-2.0
#include "dune/script.h"
#include "base/test.h"

static struct script s;

static bool parse(const char *text)
{
    return script_parse(&s, (const u8 *)text, strlen(text));
}

TEST(interpreter_and_argument)
{
    CHECK(parse("#!/bin/sh\nrest"));
    CHECK_STR(s.interpreter, "/bin/sh");
    CHECK_STR(s.argument, "");
    CHECK(parse("#! \t/bin/a  -b c \t\n"));
    CHECK_STR(s.interpreter, "/bin/a");
    CHECK_STR(s.argument, "-b c");
    CHECK(parse("#!/bin/sh"));
    CHECK_STR(s.interpreter, "/bin/sh");
}

TEST(what_is_no_script)
{
    CHECK(!parse(""));
    CHECK(!parse("#"));
    CHECK(!parse("#/bin/sh\n"));
    CHECK(!parse("#!\n"));
    CHECK(!parse("#!   \n/bin/sh\n"));
}

TEST(long_lines)
{
    char text[600];
    memset(text, 'a', sizeof(text));
    memcpy(text, "#!/", 3);
    CHECK(!script_parse(&s, (u8 *)text, sizeof(text)));
    text[100] = ' ';
    CHECK(script_parse(&s, (u8 *)text, sizeof(text)));
    CHECK_EQ(strlen(s.interpreter), 98);
    CHECK(strlen(s.argument) > 100);
}
