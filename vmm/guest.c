// SPDX-License-Identifier: Apache-2.0
#include "vmm/guest.h"
#include "base/err.h"
#include "vmm/options.h"
#include "vmm/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STATUS_OK = 0, STATUS_USER_ERROR = 1 };

const struct guest_program guest_programs[] = {
    {"apt-get", "apt"},
    {"dpkg-deb", "dpkg"},
    {"flock", "util-linux"},
    {"depmod", "kmod"},
    {"modinfo", "kmod"},
    {"cpio", "cpio"},
    {"xz", "xz-utils"},
    {"zstd", "zstd"},
    {"mmdebstrap", "mmdebstrap"},
    {"fakeroot", "fakeroot"},
    {"mke2fs", "e2fsprogs"},
    {"setpriv", "util-linux"},
    {0},
};

static int guest_help(void)
{
    printf("Usage: lh guest VERB [OPTION]...\n\n"
           "  fetch   fetch kernel, initramfs and, if asked, root file system and firmware of "
           "Debian\n"
           "\n'lh guest fetch --help' lists its options.\n");
    return STATUS_OK;
}

static int cannot(const char *what)
{
    fprintf(stderr, "lh guest: %s: %s\n", what, strerror(errno));
    return STATUS_USER_ERROR;
}

// A file without a name that holds the script, or -1. The shell opens it by its number.
static int script_file(void)
{
    size_t n = strlen(guest_fetch_script);
    int fd = memfd_create("guest_fetch", 0);
    if (fd >= 0 && write(fd, guest_fetch_script, n) == (ssize_t)n)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

// The shell takes our place, so signals and the exit status are the script's.
static int fetch(int argc, char **argv)
{
    char path[32], shell[] = "/bin/sh";
    int fd = script_file();
    if (fd < 0)
        return cannot("no memory for the script");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    char **args = calloc((size_t)argc + 3, sizeof(*args));
    if (!args)
        return cannot("no memory");
    args[0] = shell;
    args[1] = path;
    memcpy(args + 2, argv, (size_t)argc * sizeof(*args));
    execv(shell, args);
    return cannot(shell);
}

int guest_main(int argc, char **argv)
{
    static const char *const names[] = {"fetch", NULL};
    const char *word = argc ? argv[0] : "--help";
    struct err e = {0};
    if (!strcmp(word, names[0]))
        return fetch(argc - 1, argv + 1);
    if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help"))
        return guest_help();
    err_set(&e, "no verb '%s'", word);
    err_suggest(&e, word, names, "lh guest --help lists them");
    fprintf(stderr, "lh guest: %s\n", e.text);
    return STATUS_USER_ERROR;
}
