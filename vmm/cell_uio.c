// SPDX-License-Identifier: Apache-2.0
#include "vmm/cell_uio.h"
#include "include/longhouse/control.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DRIVER "/sys/bus/pci/drivers/uio_pci_generic"

extern char **environ;

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool is_good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return is_good;
}

static void load_module(void)
{
    char *words[] = {(char[]){"modprobe"}, (char[]){"uio_pci_generic"}, NULL};
    pid_t child;
    if (!access(DRIVER, F_OK) || posix_spawnp(&child, words[0], NULL, NULL, words, environ))
        return;
    waitpid(child, NULL, 0);
}

// The driver takes new ids at once, and those that it knows when it is told of the function.
static void bind(const char *path)
{
    char id[32];
    const char *slash = strrchr(path, '/');
    snprintf(id, sizeof(id), "%04x %04x", CONTROL_PCI_VENDOR, CONTROL_PCI_DEVICE);
    if (!write_text(DRIVER "/new_id", id))
        write_text(DRIVER "/bind", slash + 1);
}

// "/dev/uioN" of the folder uio/uioN.
static bool find_device(const char *path, char device[64])
{
    char folder[192];
    const struct dirent *entry;
    snprintf(folder, sizeof(folder), "%s/uio", path);
    DIR *d = opendir(folder);
    device[0] = 0;
    while (d && !device[0] && (entry = readdir(d)))
        if (!strncmp(entry->d_name, "uio", 3))
            snprintf(device, 64, "/dev/%.40s", entry->d_name);
    if (d)
        closedir(d);
    return device[0];
}

int cell_uio_open(const char *path, struct err *e)
{
    char device[64];
    if (!find_device(path, device)) {
        load_module();
        bind(path);
    }
    if (!find_device(path, device)) {
        err_set(e, "uio_pci_generic does not take the hypervisor's function");
        return -1;
    }
    int fd = open(device, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        err_set(e, "%s: %s", device, strerror(errno));
    return fd;
}

void cell_uio_take(int fd)
{
    unsigned count;
    (void)!read(fd, &count, sizeof(count));
}
