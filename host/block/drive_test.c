// SPDX-License-Identifier: Apache-2.0
#include "host/block/block.h"
#include "host/block/drive.h"
#include "host/backends.h"
#include "base/bug.h"
#include "base/test.h"

#include <stdlib.h>
#include <unistd.h>

static void make(char *path, u64 size)
{
    int fd = mkstemp(path);
    BUG_ON(fd < 0 || ftruncate(fd, (off_t)size) < 0);
    close(fd);
}

TEST(options_are_taken)
{
    char path[] = "/tmp/lh-drive,-XXXXXX", text[200];
    struct err e = {0};
    struct drive d;
    make(path, 4096);
    // The comma in the path is doubled.
    snprintf(text, sizeof(text), "file=/tmp/lh-drive,,-%s,id=d0,if=virtio,format=raw,serial=s",
             path + strlen("/tmp/lh-drive,-"));
    REQUIRE(drive_open(&d, text, &e));
    CHECK_STR(d.id, "d0");
    CHECK_STR(d.serial, "s");
    CHECK_EQ(d.interface, DRIVE_VIRTIO);
    CHECK_EQ(d.unit, -1);
    CHECK_EQ(d.block->size, 4096);
    CHECK(!d.block->is_readonly && !d.block->ignores_flush && !d.block->ignores_discard);
    drive_free(&d);
    snprintf(text, sizeof(text),
             "if=pflash,unit=1,readonly=on,cache=unsafe,discard=ignore,file=/tmp/lh-drive,,-%s",
             path + strlen("/tmp/lh-drive,-"));
    REQUIRE(drive_open(&d, text, &e));
    CHECK(!d.id && !d.serial);
    CHECK_EQ(d.interface, DRIVE_PFLASH);
    CHECK_EQ(d.unit, 1);
    CHECK(d.block->is_readonly && d.block->ignores_flush && d.block->ignores_discard);
    drive_free(&d);
    unlink(path);
}

TEST(wrong_options_say_what_is_wrong)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"id=d0", "drive d0: file= is missing"},
        {"", "drive: there is no ''; see:"},
        {"file=/tmp/lh-no-such-image,id=d7", "drive d7: open '/tmp/lh-no-such-image': No such"},
        {"file=x,format=qcow2", "drive: format=qcow2 is not there"},
        {"file=x,if=floppy", "if=floppy is not there"},
        {"file=x,unit=9", "unit=9"},
        {"file=x,readonly=maybe", "readonly=maybe"},
        {"file=x,colour=red", "there is no 'colour'"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        struct drive d;
        CHECK(!drive_open(&d, cases[i].text, &e));
        if (!CHECK(strstr(e.text, cases[i].wanted) != NULL))
            printf("# %s\n", e.text);
    }
}

TEST(back_ends_are_found_once)
{
    char path[] = "/tmp/lh-drive-XXXXXX", text[100];
    struct backends b = {0};
    struct err e = {0};
    struct drive d;
    make(path, 4096);
    snprintf(text, sizeof(text), "file=%s,id=d0", path);
    REQUIRE(drive_open(&d, text, &e));
    REQUIRE(backends_add_drive(&b, d.id, d.block, &e));
    CHECK(!backends_add_drive(&b, d.id, d.block, &e));
    CHECK_STR(e.text, "there are two drives with id 'd0'");
    CHECK(!backends_add_drive(&b, NULL, d.block, &e));
    CHECK_STR(e.text, "a drive needs an id=");
    CHECK(!backends_take_drive(&b, "d1", "a", &e));
    CHECK_STR(e.text, "there is no drive 'd1'; there is: d0");
    CHECK(!backends_take_netdev(&b, "d0", "a", &e));
    CHECK_STR(e.text, "there is no netdev 'd0'; there is: none");
    CHECK(backends_take_drive(&b, "d0", "a", &e) == d.block);
    CHECK(!backends_take_drive(&b, "d0", "b", &e));
    CHECK_STR(e.text, "drive 'd0' is already used by a");
    CHECK(!backends_take_drive(NULL, "d0", "b", &e));
    d.block = NULL;
    drive_free(&d);
    backends_free(&b);
    unlink(path);
}
