// SPDX-License-Identifier: Apache-2.0
#include "host/block/block.h"
#include "base/bug.h"
#include "base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned n_flushes;

// Instead of the library's: counts.
int fdatasync(int fd)
{
    n_flushes++;
    return (int)syscall(SYS_fdatasync, fd);
}

static char *make(u64 size)
{
    static char path[64];
    strcpy(path, "/tmp/lh-raw-XXXXXX");
    int fd = mkstemp(path);
    BUG_ON(fd < 0 || ftruncate(fd, (off_t)size) < 0);
    close(fd);
    return path;
}

static void check_error(const char *path, bool is_readonly, const char *wanted)
{
    struct err e = {0};
    CHECK(!block_open_raw(path, is_readonly, &e));
    if (!CHECK(strstr(e.text, wanted) != NULL))
        printf("# %s\n", e.text);
    CHECK(!strchr(e.text, '\n'));
    CHECK(strstr(e.text, path) != NULL);
}

TEST(transfers_are_whole_and_anywhere)
{
    struct err e = {0};
    char *path = make(1 << 20);
    struct block *b = block_open_raw(path, false, &e);
    REQUIRE(b != NULL);
    CHECK_EQ(b->size, 1 << 20);
    u8 out[3000], in[3000] = {0};
    for (unsigned i = 0; i < sizeof(out); i++)
        out[i] = (u8)(i * 13);
    struct iovec w[] = {{out, 0}, {out, 1}, {out + 1, 2000}, {out + 2001, 999}, {out, 0}};
    CHECK_EQ(block_write(b, 777, w, 5), 0);
    struct iovec r[] = {{in, 1500}, {in + 1500, 1500}};
    CHECK_EQ(block_read(b, 777, r, 2), 0);
    CHECK(!memcmp(in, out, sizeof(in)));
    CHECK_EQ(block_flush(b), 0);
    // More pieces than one call of the kernel takes.
    struct iovec many[1024];
    for (unsigned i = 0; i < 1024; i++)
        many[i] = (struct iovec){out + i, 1};
    CHECK_EQ(block_write(b, 0, many, 1024), 0);
    // Somebody shortened the file: an error, not zeros.
    CHECK_EQ(truncate(path, 4096), 0);
    struct iovec v = {in, 512};
    CHECK_EQ(block_read(b, 8192, &v, 1), -EIO);
    v = (struct iovec){in, 1024};
    CHECK_EQ(block_read(b, 4096 - 512, &v, 1), -EIO);
    block_free(b);
    unlink(path);
}

TEST(zeroes_and_holes)
{
    struct err e = {0};
    char *path = make(1 << 20);
    struct block *b = block_open_raw(path, false, &e);
    REQUIRE(b != NULL);
    u8 ones[65536], in[65536];
    memset(ones, 0xff, sizeof(ones));
    for (int unmap = 0; unmap < 3; unmap++) {
        struct iovec w = {ones, sizeof(ones)};
        CHECK_EQ(block_write(b, 0, &w, 1), 0);
        b->ignores_discard = unmap == 2;
        CHECK_EQ(block_write_zeroes(b, 512, 32768, unmap), 0);
        struct iovec r = {in, sizeof(in)};
        CHECK_EQ(block_read(b, 0, &r, 1), 0);
        CHECK_EQ(in[511], 0xff);
        CHECK_EQ(in[512 + 32768], 0xff);
        for (unsigned i = 0; i < 32768; i++)
            CHECK_EQ(in[512 + i], 0);
    }
    b->ignores_discard = false;
    int error = block_discard(b, 0, 65536);
    CHECK(error == 0 || error == -EOPNOTSUPP);
    struct stat st;
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_size, 1 << 20); // the size stays
    b->ignores_discard = b->ignores_flush = true;
    CHECK_EQ(block_discard(b, 0, 65536), 0);
    CHECK_EQ(block_flush(b), 0);
    block_free(b);
    unlink(path);
}

// How often the file was flushed until the operation was done.
static unsigned n_flushes_of_write(struct block *b)
{
    u8 bytes[1536] = {1};
    struct iovec v[] = {{bytes, 512}, {bytes + 512, 1024}};
    n_flushes = 0;
    CHECK_EQ(block_write(b, 4096, v, 2), 0);
    return n_flushes;
}

static unsigned n_flushes_of_zeroes(struct block *b, bool may_unmap)
{
    n_flushes = 0;
    CHECK_EQ(block_write_zeroes(b, 0, 65536, may_unmap), 0);
    return n_flushes;
}

TEST(what_is_written_through_has_left_the_kernel)
{
    struct err e = {0};
    char *path = make(1 << 20);
    struct block *b = block_open_raw(path, false, &e);
    REQUIRE(b != NULL);
    CHECK_EQ(n_flushes_of_write(b), 0);
    CHECK_EQ(n_flushes_of_zeroes(b, false) + n_flushes_of_zeroes(b, true), 0);
    CHECK_EQ(block_flush(b), 0);
    CHECK_EQ(n_flushes, 1);
    b->is_through = true;
    CHECK_EQ(n_flushes_of_write(b), 1);
    CHECK(n_flushes_of_zeroes(b, false) > 0);
    CHECK(n_flushes_of_zeroes(b, true) > 0);
    // Not choices of the same thing: the guest's flush can be ignored all the same.
    b->ignores_flush = true;
    CHECK_EQ(n_flushes_of_write(b), 1);
    CHECK_EQ(block_flush(b), 0);
    CHECK_EQ(n_flushes, 1);
    block_free(b);
    unlink(path);
}

TEST(what_cannot_be_a_disk_is_named)
{
    check_error("/tmp/lh-no-such-image", false, "No such file or directory");
    check_error("/tmp", true, "is a directory");
    check_error("/dev/null", false, "is a special file");
    char *path = make(1000);
    check_error(path, false, "has 1000 bytes");
    CHECK_EQ(truncate(path, 0), 0);
    check_error(path, false, "has 0 bytes");
    unlink(path);
}

TEST(unwritable_files_can_be_read)
{
    if (geteuid() == 0)
        SKIP("root may write everything");
    struct err e = {0};
    char *path = make(512);
    CHECK_EQ(chmod(path, 0400), 0);
    check_error(path, false, "readonly=on");
    struct block *b = block_open_raw(path, true, &e);
    CHECK(b != NULL);
    block_free(b);
    unlink(path);
}

// Opens in another process; true if that worked.
static bool opens_elsewhere(const char *path, bool is_readonly)
{
    pid_t pid = fork();
    if (!pid) {
        struct err e = {0};
        _exit(block_open_raw(path, is_readonly, &e) ? 0 : strstr(e.text, "is in use") ? 1 : 2);
    }
    int status = 0;
    BUG_ON(pid < 0 || waitpid(pid, &status, 0) != pid);
    CHECK(WEXITSTATUS(status) != 2);
    return WEXITSTATUS(status) == 0;
}

TEST(an_image_has_one_writer_or_many_readers)
{
    struct err e = {0};
    char *path = make(512);
    struct block *writer = block_open_raw(path, false, &e);
    REQUIRE(writer != NULL);
    CHECK(!opens_elsewhere(path, false));
    CHECK(!opens_elsewhere(path, true));
    check_error(path, false, "is in use"); // here as well
    block_free(writer);
    struct block *reader = block_open_raw(path, true, &e);
    REQUIRE(reader != NULL);
    CHECK(opens_elsewhere(path, true));
    CHECK(!opens_elsewhere(path, false));
    block_free(reader);
    CHECK(opens_elsewhere(path, false));
    unlink(path);
}
