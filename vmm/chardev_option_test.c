// SPDX-License-Identifier: Apache-2.0
#include "vmm/chardev_option.h"
#include "base/test.h"

static void expect(const char *text, const char *id, const char *console)
{
    struct chardev_option c;
    struct err e = {0};
    REQUIRE(chardev_option_parse(&c, text, &e));
    CHECK_STR(c.id, id);
    CHECK_STR(c.console, console);
    chardev_option_free(&c);
}

static void expect_error(const char *text, const char *message)
{
    struct chardev_option c;
    struct err e = {0};
    CHECK(!chardev_option_parse(&c, text, &e));
    CHECK_STR(e.text, message);
}

TEST(every_type)
{
    expect("stdio,id=c0", "c0", "stdio");
    expect("stdio,id=c0,escape=off", "c0", "stdio,escape=off");
    expect("pty,id=c0", "c0", "pty");
    expect("pty,id=c0,path=/tmp/link", "c0", "pty:/tmp/link");
    expect("file,id=c0,path=/tmp/log,append=on", "c0", "file:/tmp/log,append=on");
    expect("file,path=/tmp/log,id=c0", "c0", "file:/tmp/log");
    expect("socket,id=c0,path=s", "c0", "unix:s");
    expect("socket,server=on,path=s,wait=off,id=c0", "c0", "unix:s,server=on,wait=off");
    expect("null,id=c0", "c0", "null");
}

TEST(commas_within_a_path)
{
    expect("file,id=a,path=x,,y,append=on", "a", "file:x,,y,append=on");
}

TEST(the_last_one_counts)
{
    expect("file,id=a,path=x,id=b,path=y", "b", "file:y");
}

TEST(what_is_wrong)
{
    expect_error("fil,id=a", "-chardev fil,id=a: no such console 'fil'; did you mean file?");
    expect_error("vc,id=a", "-chardev vc,id=a: no such console 'vc'; "
                            "there are stdio, pty, file, socket and null");
    expect_error("file,path=x", "-chardev file,path=x: id= is missing");
    expect_error("file,id=,path=x", "-chardev file,id=,path=x: id= is missing");
    expect_error("socket,id=a,server=on", "-chardev socket,id=a,server=on: path= is missing");
    expect_error("null,id=a,path=x", "-chardev null,id=a,path=x: null has no path=");
}
