// SPDX-License-Identifier: Apache-2.0
#include "mach/boot_file.h"

#include "base/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_file(char *path, const void *data, size_t size)
{
    strcpy(path, "/tmp/boot_file_test.XXXXXX");
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, data, size), size);
    close(fd);
}

static void refuses(const char *path, u64 max_size, const char *reason)
{
    struct boot_file f;
    struct err e = {0};
    char wanted[256];
    CHECK(!boot_file_read(&f, "kernel", path, max_size, &e));
    snprintf(wanted, sizeof(wanted), "kernel '%s': %s", path, reason);
    CHECK_STR(e.text, wanted);
    CHECK(!f.data);
}

TEST(reads_files_up_to_the_limit)
{
    char path[64];
    u8 data[5000];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (u8)i;
    make_file(path, data, sizeof(data));
    struct boot_file f;
    struct err e = {0};
    REQUIRE(boot_file_read(&f, "kernel", path, sizeof(data), &e));
    CHECK_EQ(f.size, sizeof(data));
    CHECK(!memcmp(f.data, data, sizeof(data)));
    boot_file_free(&f);
    refuses(path, sizeof(data) - 1, "is larger than 4999 bytes");
    unlink(path);
}

TEST(says_why_it_cannot_read)
{
    char path[64];
    refuses("/nonexistent/vmlinuz", 100, "cannot open: No such file or directory");
    refuses("/tmp", 100, "is a directory");
    make_file(path, "", 0);
    refuses(path, 100, "is empty");
    CHECK_EQ(truncate(path, 3 << 20), 0);
    refuses(path, 2 << 20, "is larger than 2 MiB");
    if (geteuid() != 0) {
        CHECK_EQ(chmod(path, 0), 0);
        refuses(path, 100, "cannot open: Permission denied");
    }
    unlink(path);
}

TEST(pipes_end_at_the_limit)
{
    char directory[] = "/tmp/boot_file_test.XXXXXX", path[64], command[128];
    REQUIRE(mkdtemp(directory) != NULL);
    snprintf(path, sizeof(path), "%s/fifo", directory);
    CHECK_EQ(mkfifo(path, 0600), 0);
    snprintf(command, sizeof(command), "head -c 300000 /dev/zero >%s 2>/dev/null &", path);
    CHECK_EQ(system(command), 0);
    struct boot_file f;
    struct err e = {0};
    if (CHECK(boot_file_read(&f, "initrd", path, 300000, &e)))
        CHECK_EQ(f.size, 300000);
    boot_file_free(&f);
    unlink(path);
    rmdir(directory);
    CHECK(!boot_file_read(&f, "initrd", "/dev/zero", 1 << 20, &e));
    CHECK_STR(e.text, "initrd '/dev/zero': is larger than 1 MiB");
}
