// SPDX-License-Identifier: Apache-2.0
#include "mach/drive_option.h"

#include "base/test.h"

static bool parse(struct drive_option *d, char text[256], const char *words, struct err *e)
{
    snprintf(text, 256, "%s", words);
    *e = (struct err){0};
    bool ok = drive_option_parse(d, text, e);
    CHECK(ok != err_is_set(e));
    return ok;
}

static void refuses(const char *words, const char *message)
{
    struct drive_option d;
    struct err e;
    char text[256];
    CHECK(!parse(&d, text, words, &e));
    CHECK_STR(e.text, message);
}

TEST(a_file_is_a_virtio_disk)
{
    struct drive_option d;
    struct err e;
    char text[256];
    REQUIRE(parse(&d, text, "file=a.img", &e));
    CHECK_STR(d.file, "a.img");
    CHECK(!d.id);
    CHECK_EQ(d.interface, DRIVE_VIRTIO);
    CHECK_EQ(d.unit, -1);
    CHECK(!d.is_readonly);
}

TEST(all_options_are_read)
{
    struct drive_option d;
    struct err e;
    char text[256];
    REQUIRE(parse(&d, text, "id=x,file=a,,b.img,format=raw,if=pflash,unit=1,readonly=on,media=disk",
                  &e));
    CHECK_STR(d.file, "a,b.img");
    CHECK_STR(d.id, "x");
    CHECK_EQ(d.interface, DRIVE_PFLASH);
    CHECK_EQ(d.unit, 1);
    CHECK(d.is_readonly);
    REQUIRE(parse(&d, text, "file=a,if=none,index=3,readonly=off,read-only", &e));
    CHECK_EQ(d.interface, DRIVE_NONE);
    CHECK_EQ(d.unit, 3);
    CHECK(d.is_readonly);
}

TEST(wrong_options_are_named)
{
    refuses("if=virtio", "file= is missing");
    refuses("file=", "file= is missing");
    refuses("file=a,if=scsi", "if=scsi: there are virtio, pflash and none");
    refuses("file=a,format=qcow2", "format=qcow2: there is only raw");
    refuses("file=a,unit=x", "unit=x: not a number");
    refuses("file=a,unit=-1", "unit=-1: not a number");
    refuses("file=a,readonly=maybe", "readonly=maybe: only on and off are there");
    refuses("file=a,id=", "id=: has to be 1 to 63 letters, digits, '-', '.' or '_'");
    refuses("file=a,id=a,,b", "id=a,b: has to be 1 to 63 letters, digits, '-', '.' or '_'");
    refuses("a.img", "there is no option 'a.img'; there are: file, if, format, id, unit, readonly, "
                     "media");
}
