// SPDX-License-Identifier: Apache-2.0
#include "vmm/log_file.h"
#include "base/test.h"

#include <stdlib.h>
#include <unistd.h>

static void expect_text(const char *path, const char *want)
{
    char got[256] = "";
    FILE *f = fopen(path, "r");
    REQUIRE(f);
    CHECK_EQ(fread(got, 1, sizeof(got) - 1, f), strlen(want));
    CHECK_STR(got, want);
    fclose(f);
}

TEST(early_lines_wait_until_the_file_begins)
{
    char path[] = "/tmp/log_file_testXXXXXX";
    int fd = mkstemp(path);
    CHECK_EQ(write(fd, "old", 3), 3);
    close(fd);
    struct log_file l;
    struct err e = {0};
    REQUIRE(log_file_open(&l, path, &e));
    l.log.enabled = 1u << LOG_BOOT;
    log_at(&l.log, LOG_BOOT, "early %d", 1);
    expect_text(path, "old");
    log_file_begin(&l);
    expect_text(path, "boot: early 1\n");
    log_at(&l.log, LOG_BOOT, "late");
    log_at(&l.log, LOG_IRQ, "off");
    expect_text(path, "boot: early 1\nboot: late\n");
    log_file_close(&l);
    expect_text(path, "boot: early 1\nboot: late\n");
    unlink(path);
}

TEST(without_a_beginning_nothing_is_made)
{
    char path[] = "/tmp/log_file_testXXXXXX";
    close(mkstemp(path));
    unlink(path);
    struct log_file l;
    struct err e = {0};
    REQUIRE(log_file_open(&l, path, &e));
    log_file_close(&l);
    CHECK_EQ(access(path, F_OK), -1);
    CHECK(!log_file_open(&l, "/nowhere/x", &e));
    CHECK_STR(e.text, "-D '/nowhere/x': No such file or directory");
    log_file_close(&l);
}
