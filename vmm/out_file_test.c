// SPDX-License-Identifier: Apache-2.0
#include "vmm/out_file.h"
#include "base/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char dir[32], path[48];
};

static struct place place_new(const char *text)
{
    struct place p = {.dir = "/tmp/out_file_testXXXXXX"};
    CHECK(mkdtemp(p.dir));
    snprintf(p.path, sizeof(p.path), "%s/x", p.dir);
    FILE *f = text ? fopen(p.path, "w") : NULL;
    if (f) {
        fputs(text, f);
        fclose(f);
    }
    return p;
}

static void place_free(struct place *p)
{
    unlink(p->path);
    CHECK(!rmdir(p->dir));
}

static bool exists(const struct place *p)
{
    return !access(p->path, F_OK);
}

static void expect_text(const struct place *p, const char *want)
{
    char got[64] = "";
    int fd = open(p->path, O_RDONLY);
    CHECK(read(fd, got, sizeof(got) - 1) >= 0);
    CHECK_STR(got, want);
    close(fd);
}

TEST(a_file_that_is_never_begun_stays_as_it_was)
{
    struct place p = place_new("old"), q = place_new(NULL);
    struct out_file f;
    struct err e = {0};
    CHECK(out_file_open(&f, p.path, true, &e));
    out_file_close(&f, true);
    expect_text(&p, "old");
    CHECK(out_file_open(&f, q.path, false, &e));
    out_file_close(&f, false);
    CHECK(!exists(&q));
    place_free(&p);
    place_free(&q);
}

TEST(a_file_that_is_begun_has_what_is_written)
{
    struct place p = place_new("an old text");
    struct out_file f;
    struct err e = {0};
    CHECK(out_file_open(&f, p.path, false, &e));
    out_file_begin(&f);
    CHECK_EQ(write(f.fd, "new", 3), 3);
    out_file_close(&f, false);
    expect_text(&p, "new");
    CHECK(out_file_open(&f, p.path, false, &e));
    out_file_begin(&f);
    out_file_close(&f, true);
    CHECK(!exists(&p));
    place_free(&p);
}

TEST(a_locked_file_is_refused)
{
    struct place p = place_new(NULL);
    struct out_file first, second;
    struct err e = {0};
    CHECK(out_file_open(&first, p.path, true, &e));
    out_file_begin(&first);
    dprintf(first.fd, "4711\n");
    CHECK(!out_file_open(&second, p.path, true, &e));
    CHECK_STR(e.text, "it belongs to process 4711, which is running");
    expect_text(&p, "4711\n");
    out_file_close(&first, true);
    CHECK(out_file_open(&second, p.path, true, &e));
    out_file_close(&second, false);
    CHECK(!exists(&p));
    place_free(&p);
}

TEST(what_cannot_be_written)
{
    struct place p = place_new(NULL);
    struct out_file f;
    struct err e = {0};
    CHECK(!out_file_open(&f, p.dir, false, &e));
    CHECK_STR(e.text, "Is a directory");
    CHECK(!out_file_open(&f, "/nowhere/x", false, &e));
    CHECK_STR(e.text, "No such file or directory");
    out_file_close(&f, true);
    struct out_file zeroed = {0};
    out_file_close(&zeroed, true);
    place_free(&p);
}
