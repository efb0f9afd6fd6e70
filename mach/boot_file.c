// SPDX-License-Identifier: Apache-2.0
#include "mach/boot_file.h"

#include "base/huge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool too_large(u64 max_size, struct err *e)
{
    if (max_size < 1 << 20)
        return err_set(e, "is larger than %llu bytes", (unsigned long long)max_size);
    return err_set(e, "is larger than %llu MiB", (unsigned long long)max_size >> 20);
}

// Pipes and devices do not tell their size; they are read until they end.
static bool read_all(struct boot_file *f, int fd, size_t capacity, u64 max_size, struct err *e)
{
    for (;;) {
        if (f->size == capacity)
            capacity = 2 * capacity;
        u8 *data = realloc(f->data, capacity);
        if (!data)
            return err_set(e, "cannot read: no memory for %zu bytes", capacity);
        f->data = data;
        huge_advise(f->data + f->size, capacity - f->size);
        ssize_t n = read(fd, f->data + f->size, capacity - f->size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(e, "cannot read: %s", strerror(errno));
        if (n == 0)
            return f->size > 0 || err_set(e, "is empty");
        f->size += (size_t)n;
        if (f->size > max_size)
            return too_large(max_size, e);
    }
}

static bool read_fd(struct boot_file *f, int fd, u64 max_size, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st))
        return err_set(e, "cannot read: %s", strerror(errno));
    if (S_ISDIR(st.st_mode))
        return err_set(e, "is a directory");
    if (S_ISREG(st.st_mode) && (u64)st.st_size > max_size)
        return too_large(max_size, e);
    size_t capacity = S_ISREG(st.st_mode) ? (size_t)st.st_size + 1 : 1 << 16;
    return read_all(f, fd, capacity, max_size, e);
}

bool boot_file_read(struct boot_file *f, const char *what, const char *path, u64 max_size,
                    struct err *e)
{
    *f = (struct boot_file){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok =
        fd >= 0 ? read_fd(f, fd, max_size, e) : err_set(e, "cannot open: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    if (ok)
        return true;
    boot_file_free(f);
    return err_context(e, "%s '%s'", what, path);
}

void boot_file_free(struct boot_file *f)
{
    free(f->data);
    *f = (struct boot_file){0};
}
