// SPDX-License-Identifier: Apache-2.0
// Raw images: regular files and block devices.
#include "host/block/block.h"
#include "base/bug.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512, ZERO_CHUNK = 1 << 20 };

struct raw {
    struct block b;
    int fd;
    bool is_device;
};

static struct raw *raw_of(struct block *b)
{
    return (struct raw *)b;
}

// Drops the first `done` bytes.
static void advance(struct iovec **iov, int *n, size_t done)
{
    while (*n && done >= (*iov)->iov_len) {
        done -= (*iov)->iov_len;
        (*iov)++;
        (*n)--;
    }
    if (*n) {
        (*iov)->iov_base = (u8 *)(*iov)->iov_base + done;
        (*iov)->iov_len -= done;
    }
}

typedef ssize_t transfer_call(int fd, const struct iovec *iov, int n, off_t offset);

// All of it, however the kernel cuts it up. The end of a file that somebody shortened is an error.
static int transfer(struct block *b, u64 offset, struct iovec *iov, int n, transfer_call *call)
{
    advance(&iov, &n, 0);
    while (n) {
        ssize_t done = call(raw_of(b)->fd, iov, n < IOV_MAX ? n : IOV_MAX, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? -errno : -EIO;
        offset += (u64)done;
        advance(&iov, &n, (size_t)done);
    }
    return 0;
}

static int raw_read(struct block *b, u64 offset, struct iovec *iov, int n)
{
    return transfer(b, offset, iov, n, preadv);
}

static int raw_flush(struct block *b)
{
    return fdatasync(raw_of(b)->fd) < 0 ? -errno : 0;
}

// Of a file where its bytes are has to be known, too; a device's own cache does not matter here.
static int write_out(struct block *b, u64 offset, u64 length)
{
    const unsigned all =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (!raw_of(b)->is_device)
        return raw_flush(b);
    int r = sync_file_range(raw_of(b)->fd, (off_t)offset, (off_t)length, all);
    return r < 0 ? -errno : 0;
}

static u64 length_of(const struct iovec *iov, int n)
{
    u64 length = 0;
    for (int i = 0; i < n; i++)
        length += iov[i].iov_len;
    return length;
}

static int raw_write(struct block *b, u64 offset, struct iovec *iov, int n)
{
    // Before the transfer changes `iov`; a file is flushed as a whole.
    u64 length = b->is_through && raw_of(b)->is_device ? length_of(iov, n) : 0;
    int error = transfer(b, offset, iov, n, pwritev);
    return error || !b->is_through ? error : write_out(b, offset, length);
}

static int allocate(struct block *b, int mode, u64 offset, u64 length)
{
    int r;
    do
        r = fallocate(raw_of(b)->fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)length);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : 0;
}

static int raw_discard(struct block *b, u64 offset, u64 length)
{
    if (!raw_of(b)->is_device)
        return allocate(b, FALLOC_FL_PUNCH_HOLE, offset, length);
    u64 range[2] = {offset, length};
    return ioctl(raw_of(b)->fd, BLKDISCARD, range) < 0 ? -errno : 0;
}

static int write_zeroes_slowly(struct block *b, u64 offset, u64 length)
{
    u8 *zeroes = calloc(1, ZERO_CHUNK);
    int error = zeroes ? 0 : -ENOMEM;
    while (length && !error) {
        u64 n = length < ZERO_CHUNK ? length : ZERO_CHUNK;
        struct iovec v = {zeroes, n};
        error = raw_write(b, offset, &v, 1);
        offset += n;
        length -= n;
    }
    free(zeroes);
    return error;
}

// A hole reads as zeros in a file; of a block device, punching asks for zeros as well.
static int raw_write_zeroes(struct block *b, u64 offset, u64 length, bool may_unmap)
{
    int error = may_unmap ? allocate(b, FALLOC_FL_PUNCH_HOLE, offset, length) : -EOPNOTSUPP;
    if (error)
        error = allocate(b, FALLOC_FL_ZERO_RANGE, offset, length);
    if (error)
        return write_zeroes_slowly(b, offset, length);
    return b->is_through ? write_out(b, offset, length) : 0;
}

static void raw_free(struct block *b)
{
    if (raw_of(b)->fd >= 0)
        close(raw_of(b)->fd);
    free(b->name);
    free(b);
}

static const struct block_ops raw_ops = {raw_read,    raw_write,        raw_flush,
                                         raw_discard, raw_write_zeroes, raw_free};

static bool open_file(struct raw *r, struct err *e)
{
    r->fd = open(r->b.name, (r->b.is_readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
    if (r->fd >= 0)
        return true;
    if (!r->b.is_readonly && (errno == EACCES || errno == EROFS || errno == EPERM))
        return err_set(e, "'%s' cannot be written (%s); readonly=on would only read it", r->b.name,
                       strerror(errno));
    return err_set(e, "open '%s': %s", r->b.name, strerror(errno));
}

static bool find_size(struct raw *r, struct err *e)
{
    struct stat st;
    if (fstat(r->fd, &st) < 0)
        return err_set(e, "'%s': %s", r->b.name, strerror(errno));
    r->is_device = S_ISBLK(st.st_mode);
    if (!r->is_device && !S_ISREG(st.st_mode))
        return err_set(e, "'%s' is a %s, not a file or block device", r->b.name,
                       S_ISDIR(st.st_mode) ? "directory" : "special file");
    r->b.size = (u64)st.st_size;
    if (r->is_device && ioctl(r->fd, BLKGETSIZE64, &r->b.size) < 0)
        return err_set(e, "size of '%s': %s", r->b.name, strerror(errno));
    if (!r->b.size || r->b.size % SECTOR)
        return err_set(e, "'%s' has %llu bytes: a raw image has a multiple of %d, and some",
                       r->b.name, (unsigned long long)r->b.size, SECTOR);
    return true;
}

// Locks of the open file description: they end with it, and conflict within one process too.
// Filesystems without locks are used unlocked.
static bool lock_file(struct raw *r, struct err *e)
{
    struct flock l = {.l_type = r->b.is_readonly ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(r->fd, F_OFD_SETLK, &l) == 0 || errno == EINVAL || errno == ENOLCK ||
        errno == EOPNOTSUPP)
        return true;
    if (errno == EAGAIN || errno == EACCES)
        return err_set(e, "'%s' is in use: another disk or program has locked it", r->b.name);
    return err_set(e, "lock '%s': %s", r->b.name, strerror(errno));
}

struct block *block_open_raw(const char *path, bool is_readonly, struct err *e)
{
    struct raw *r = calloc(1, sizeof(*r));
    BUG_ON(!r);
    r->b = (struct block){.ops = &raw_ops, .is_readonly = is_readonly, .name = strdup(path)};
    BUG_ON(!r->b.name);
    if (open_file(r, e) && find_size(r, e) && lock_file(r, e))
        return &r->b;
    block_free(&r->b);
    return NULL;
}
