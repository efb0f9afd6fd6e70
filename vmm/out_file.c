// SPDX-License-Identifier: Apache-2.0
#include "vmm/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLAGS (O_RDWR | O_CLOEXEC | O_NOCTTY)

static bool open_or_create(struct out_file *f)
{
    f->fd = open(f->path, FLAGS);
    // Pipes and some devices are for one direction only.
    if (f->fd < 0 && (errno == EACCES || errno == EINVAL || errno == EPERM))
        f->fd = open(f->path, (FLAGS & ~O_ACCMODE) | O_WRONLY);
    if (f->fd < 0 && errno == ENOENT) {
        f->fd = open(f->path, FLAGS | O_CREAT | O_EXCL, 0666);
        f->is_new = f->fd >= 0;
    }
    return f->fd >= 0;
}

static bool belongs_to_another(const struct out_file *f, struct err *e)
{
    char owner[24] = "";
    if (pread(f->fd, owner, sizeof(owner) - 1, 0) < 0)
        owner[0] = 0;
    return err_set(e, "it belongs to process %ld, which is running", strtol(owner, NULL, 10));
}

// The name may have gone to another file between opening and locking.
static bool is_in_place(const struct out_file *f)
{
    struct stat ours, theirs;
    return !fstat(f->fd, &ours) && !stat(f->path, &theirs) && ours.st_ino == theirs.st_ino &&
           ours.st_dev == theirs.st_dev;
}

static bool lock_file(struct out_file *f, struct err *e)
{
    if (!flock(f->fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
        return is_in_place(f) || err_set(e, "it was replaced meanwhile; try again");
    return belongs_to_another(f, e);
}

bool out_file_open(struct out_file *f, const char *path, bool lock, struct err *e)
{
    *f = (struct out_file){.path = path, .fd = -1};
    bool ok = open_or_create(f) || err_set(e, "%s", strerror(errno));
    if (ok && (!lock || lock_file(f, e)))
        return true;
    // One that another process has locked is not ours to remove, even if we made it.
    f->is_new = false;
    out_file_close(f, false);
    return false;
}

void out_file_begin(struct out_file *f)
{
    f->has_begun = true;
    // Terminals, pipes and devices cannot be emptied, and need not be.
    (void)!ftruncate(f->fd, 0);
}

void out_file_close(struct out_file *f, bool remove)
{
    if (f->path && (f->has_begun ? remove : f->is_new))
        unlink(f->path);
    if (f->path && f->fd >= 0)
        close(f->fd);
    *f = (struct out_file){.fd = -1};
}
