// SPDX-License-Identifier: Apache-2.0
// Under a policy a name is followed once, to a descriptor of the monitor's; what it led to is
// judged; and the call is made on that descriptor, so that nothing can be put in its place in
// between. Descriptors name files as /proc/self/fd/N.
#include "dune/paths.h"
#include "dune/calls.h"
#include "dune/message.h"
#include "dune/policy.h"
#include "dune/process.h"
#include "dune/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

enum { PATH_SIZE = 4096, NAME_SIZE = 320, PROC_MAGIC = 0x9fa0, OPENAT2 = 437 };

bool paths_is_own_file(struct thread *t, u64 path)
{
    char text[64], own[64];
    struct line name = {own, sizeof(own), 0};
    if (guest_text(text, path, sizeof(text)) < 0)
        return false;
    message_add(&name, "/proc/%d/exe", t->process->pid);
    return !strcmp(text, "/proc/self/exe") || !strcmp(text, "/proc/thread-self/exe") ||
           !strcmp(text, own);
}

// A path of the program, whole, in memory that it cannot change.
static long copy_path(struct thread *t, char *to, u64 from)
{
    if (paths_is_own_file(t, from)) {
        memcpy(to, t->process->settings->exe, PATH_SIZE);
        return 0;
    }
    long n = guest_text(to, from, PATH_SIZE);
    return n < 0 ? n : 0;
}

static void name_fd(char *to, int fd, const char *last)
{
    struct line name = {to, NAME_SIZE, 0};
    message_add(&name, last ? "/proc/self/fd/%d/%s" : "/proc/self/fd/%d", fd, last);
}

// What is allowed of /proc: what is about the machine, and little about processes of this run.
static bool is_harmless_proc(const struct thread *t, const char *path)
{
    static const char *const files[] = {"cpuinfo",
                                        "meminfo",
                                        "stat",
                                        "uptime",
                                        "loadavg",
                                        "version",
                                        "filesystems",
                                        "sys/kernel/osrelease",
                                        "sys/vm/overcommit_memory",
                                        "sys/kernel/random/uuid"};
    static const char *const own[] = {"stat", "status", "statm", "comm", "cmdline", "fd", ""};
    char prefix[64];
    struct line name = {prefix, sizeof(prefix), 0};
    for (u32 i = 0; i < ARRAY_LEN(files); i++)
        if (!strcmp(path + strlen("/proc/"), files[i]))
            return true;
    message_add(&name, "/proc/%d", t->process->pid);
    if (strncmp(path, prefix, name.n) || (path[name.n] && path[name.n] != '/'))
        return false;
    path += name.n + (path[name.n] == '/');
    for (u32 i = 0; i < ARRAY_LEN(own); i++)
        if (!strcmp(path, own[i]))
            return true;
    return false;
}

// Memory, disks and virtual machines are devices too.
static bool is_harmless_device(const struct stat *st)
{
    u32 kind = major(st->st_rdev), which = minor(st->st_rdev);
    if (!S_ISCHR(st->st_mode))
        return !S_ISBLK(st->st_mode);
    return (kind == 1 && (which == 3 || which == 5 || which == 7 || which == 8 || which == 9)) ||
           (kind == 5 && (which == 0 || which == 2)) || (kind >= 136 && kind < 144);
}

// Holds what a descriptor stands for, or a name in that directory, against the policy.
static long judge_fd(struct thread *t, int fd, const char *last, u8 wanted)
{
    char link[NAME_SIZE], path[PATH_SIZE];
    struct stat st;
    struct statfs fs;
    name_fd(link, fd, NULL);
    long n = raw(SYS_readlinkat, AT_FDCWD, link, path, sizeof(path) - NAME_SIZE);
    if (n <= 0 || n == (long)sizeof(path) - NAME_SIZE || *path != '/')
        return -EACCES;
    path[n] = 0;
    if (raw(SYS_fstat, fd, &st) < 0 || raw(SYS_fstatfs, fd, &fs) < 0 || !is_harmless_device(&st))
        return -EACCES;
    if (last) {
        struct line whole = {path, sizeof(path), (u64)n};
        message_add(&whole, n == 1 ? "%s" : "/%s", last);
    }
    if (fs.f_type == PROC_MAGIC && (wanted != POLICY_READ || !is_harmless_proc(t, path)))
        return -EACCES;
    u8 rights = policy_rights(t->process->settings->policy, path);
    return (rights & wanted) == wanted ? 0 : -EACCES;
}

static void drop(int fd)
{
    if (fd >= 0)
        raw(SYS_close, fd);
}

// Follows a path to a descriptor among the hidden ones. It or -errno.
static int follow(struct thread *t, u64 directory, const char *path, u64 flags)
{
    long fd =
        raw(SYS_openat, directory, path, O_PATH | O_CLOEXEC | (flags & (O_NOFOLLOW | O_DIRECTORY)));
    return fd < 0 ? (int)fd : hidden_move(&t->process->settings->hidden, (int)fd);
}

// The directory that a path's last part is in, and that part. Parts that are no name are refused.
static int follow_parent(struct thread *t, u64 directory, char *path, const char **last)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        path[--n] = 0;
    char *slash = strrchr(path, '/');
    *last = slash ? slash + 1 : path;
    if (!n)
        return -ENOENT;
    if (!strcmp(*last, ".") || !strcmp(*last, "..") || !**last)
        return -EBUSY;
    if (strlen(*last) > 255)
        return -ENAMETOOLONG;
    if (!slash)
        return follow(t, directory, ".", O_DIRECTORY);
    if (slash == path)
        return follow(t, directory, "/", O_DIRECTORY);
    *slash = 0;
    return follow(t, directory, path, O_DIRECTORY);
}

// Something that is not there tells nothing to those who may not look.
static long hide_absence(struct thread *t, u64 directory, char *path, long error)
{
    const char *last;
    int parent = follow_parent(t, directory, path, &last);
    long ret = parent < 0 ? error : judge_fd(t, parent, last, POLICY_READ);
    drop(parent);
    return ret ? -EACCES : error;
}

static u8 rights_for(u64 flags)
{
    bool writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_TRUNC | O_CREAT) ||
                  (flags & O_TMPFILE) == O_TMPFILE;
    return flags & O_PATH ? POLICY_READ : writes ? POLICY_READ | POLICY_WRITE : POLICY_READ;
}

static long create(struct thread *t, u64 directory, char *path, u64 flags, u64 mode)
{
    char name[NAME_SIZE];
    const char *last;
    int parent = follow_parent(t, directory, path, &last);
    if (parent < 0)
        return parent;
    long ret = judge_fd(t, parent, last, rights_for(flags));
    name_fd(name, parent, last);
    if (!ret)
        ret = calls_forward(t, SYS_openat,
                            (u64[6]){(u64)(s64)AT_FDCWD, (u64)name, flags | O_NOFOLLOW, mode});
    drop(parent);
    return ret;
}

static long open_judged(struct thread *t, u64 directory, char *path, u64 flags, u64 mode)
{
    char name[NAME_SIZE];
    int fd = follow(t, directory, path, flags);
    if (fd == -ENOENT && flags & O_CREAT)
        return create(t, directory, path, flags, mode);
    if (fd == -ENOENT)
        return hide_absence(t, directory, path, fd);
    if (fd < 0)
        return fd;
    struct stat st;
    u64 asked = flags & ~(u64)O_CREAT; // it is there already
    long ret = judge_fd(t, fd, NULL, rights_for(asked));
    if (!ret && flags & O_CREAT && flags & O_EXCL)
        ret = -EEXIST;
    if (!ret && raw(SYS_fstat, fd, &st) == 0 && S_ISLNK(st.st_mode))
        ret = -ELOOP;
    name_fd(name, fd, NULL);
    asked &= ~(u64)(O_EXCL | O_NOFOLLOW);
    if (!ret)
        ret = calls_forward(t, SYS_openat, (u64[6]){(u64)(s64)AT_FDCWD, (u64)name, asked, mode});
    drop(fd);
    return ret;
}

long paths_open(struct thread *t, const u64 a[6])
{
    char path[PATH_SIZE];
    u64 copy[6] = {a[0], a[1], a[2], a[3]};
    if (!t->process->settings->policy) {
        if (paths_is_own_file(t, a[1]))
            copy[1] = (u64)t->process->settings->exe;
        return calls_forward(t, SYS_openat, copy);
    }
    long ret = copy_path(t, path, a[1]);
    return ret ? ret : open_judged(t, a[0], path, a[2], a[3]);
}

long paths_open2(struct thread *t, const u64 a[6], const struct paths_how *how)
{
    char path[PATH_SIZE];
    u64 copy[6] = {a[0], a[1], (u64)how, sizeof(*how)};
    if (!t->process->settings->policy)
        return calls_forward(t, OPENAT2, copy);
    // Restrictions on how a path is followed would be lost on the way.
    if (how->resolve)
        return -EINVAL;
    long ret = copy_path(t, path, a[1]);
    return ret ? ret : open_judged(t, a[0], path, how->flags, how->mode);
}

// Whether the call acts on what a link at the end of the path points to.
static bool follows_last(u64 number, const u64 a[6])
{
    enum { NO_FOLLOW = 0x100, FOLLOW = 0x400 };
    switch (number) {
    case SYS_lstat:
    case SYS_unlink:
    case SYS_unlinkat:
    case SYS_rename:
    case SYS_renameat:
    case SYS_renameat2:
    case SYS_mkdir:
    case SYS_mkdirat:
    case SYS_rmdir:
    case SYS_symlink:
    case SYS_symlinkat:
    case SYS_link:
    case SYS_lchown:
    case SYS_lsetxattr:
    case SYS_lgetxattr:
    case SYS_llistxattr:
    case SYS_lremovexattr:
    case SYS_readlink:
    case SYS_readlinkat:
    case SYS_mknod:
    case SYS_mknodat: return false;
    case SYS_linkat: return a[4] & FOLLOW;
    case SYS_newfstatat: return !(a[3] & NO_FOLLOW);
    case SYS_statx: return !(a[2] & NO_FOLLOW);
    case SYS_fchownat: return !(a[4] & NO_FOLLOW);
    case SYS_utimensat: return !(a[3] & NO_FOLLOW);
    case 439: return !(a[3] & NO_FOLLOW); // faccessat2
    case 452: return !(a[3] & NO_FOLLOW); // fchmodat2
    }
    return true;
}

// Replaces one path by a name of what it leads to; the descriptor that holds it, or -errno.
static int pin(struct thread *t, u64 directory, char *path, bool follows, u8 wanted, char *name)
{
    const char *last = NULL;
    int fd = follows ? follow(t, directory, path, 0) : follow_parent(t, directory, path, &last);
    if (fd == -EBUSY && wanted == POLICY_READ) // "." and "..": the directory itself
        fd = follow(t, directory, path, 0), last = NULL;
    if (fd == -ENOENT)
        return (int)hide_absence(t, directory, path, fd);
    if (fd < 0)
        return fd;
    long ret = judge_fd(t, fd, last, wanted);
    if (ret) {
        drop(fd);
        return (int)ret;
    }
    name_fd(name, fd, last);
    return fd;
}

static long call_judged(struct thread *t, u64 number, u64 copy[6], const int fds[2],
                        const int paths[2])
{
    char path[PATH_SIZE], names[2][NAME_SIZE];
    int held[2] = {-1, -1};
    bool writes = calls_find(number)->group == CALL_write;
    long ret = 0;
    bool follows = follows_last(number, copy);
    for (int i = 0; i < 2 && paths[i] >= 0 && !ret; i++) {
        u64 directory = fds[i] >= 0 ? copy[fds[i]] : (u64)(s64)AT_FDCWD;
        ret = copy_path(t, path, copy[paths[i]]);
        if (ret)
            break;
        if (!*path) { // the descriptor itself, or nothing
            copy[paths[i]] = (u64) "";
            ret = writes && fds[i] >= 0 ? paths_judge_fd(t, copy[fds[i]]) : 0;
            continue;
        }
        held[i] = pin(t, directory, path, follows,
                      writes ? POLICY_READ | POLICY_WRITE : POLICY_READ, names[i]);
        ret = held[i] < 0 ? held[i] : 0;
        copy[paths[i]] = (u64)names[i];
        follows = false; // of two paths only the first may be an existing file
    }
    if (!ret)
        ret = calls_forward(t, number, copy);
    drop(held[0]);
    drop(held[1]);
    return ret;
}

long paths_call(struct thread *t, u64 number, const u64 a[6], const int fds[2], const int paths[2])
{
    u64 copy[6];
    memcpy(copy, a, sizeof(copy));
    if (t->process->settings->policy)
        return call_judged(t, number, copy, fds, paths);
    for (int i = 0; i < 2; i++)
        if (paths[i] >= 0 && paths_is_own_file(t, a[paths[i]]))
            copy[paths[i]] = (u64)t->process->settings->exe;
    return calls_forward(t, number, copy);
}

long paths_judge_fd(struct thread *t, u64 fd)
{
    return judge_fd(t, (int)fd, NULL, POLICY_READ | POLICY_WRITE);
}

int paths_open_exec(struct thread *t, const char *path)
{
    int fd = follow(t, (u64)(s64)AT_FDCWD, path, 0);
    long ret = fd < 0 ? fd : judge_fd(t, fd, NULL, POLICY_READ | POLICY_EXEC);
    if (!ret)
        return fd;
    drop(fd);
    return (int)ret;
}

long paths_judge_exec(struct thread *t, const char *path)
{
    if (!t->process->settings->policy)
        return 0;
    int fd = paths_open_exec(t, path);
    drop(fd);
    return fd < 0 ? fd : 0;
}
