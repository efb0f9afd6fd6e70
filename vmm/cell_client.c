// SPDX-License-Identifier: Apache-2.0
// BARs are mapped by the resource files in sysfs, which needs no driver and no module. A request is
// over when its last ring returns.
#include "vmm/cell_client.h"
#include "vmm/cell_uio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define DEVICES  "/sys/bus/pci/devices"
#define AGAIN_NS 5000000

static bool read_hex(const char *path, const char *name, unsigned long *value)
{
    char file[192], text[32] = "";
    snprintf(file, sizeof(file), "%s/%s", path, name);
    FILE *f = fopen(file, "re");
    bool is_good = f && fgets(text, sizeof(text), f);
    if (f)
        fclose(f);
    *value = strtoul(text, NULL, 16);
    return is_good;
}

static bool is_ours(const char *path)
{
    unsigned long vendor, device;
    return read_hex(path, "vendor", &vendor) && read_hex(path, "device", &device) &&
           vendor == CONTROL_PCI_VENDOR && device == CONTROL_PCI_DEVICE;
}

static bool find_function(struct cell_client *c, struct err *e)
{
    DIR *d = opendir(DEVICES);
    const struct dirent *entry;
    bool is_found = false;
    while (d && !is_found && (entry = readdir(d))) {
        snprintf(c->path, sizeof(c->path), DEVICES "/%.64s", entry->d_name);
        is_found = entry->d_name[0] != '.' && is_ours(c->path);
    }
    if (d)
        closedir(d);
    return is_found || err_set(e, "no hypervisor here: there is no PCI function %04x:%04x",
                               CONTROL_PCI_VENDOR, CONTROL_PCI_DEVICE);
}

// A driver that has the function, which is the one for user space, has enabled it too: EBUSY.
static bool enable(struct cell_client *c, struct err *e)
{
    char file[192];
    snprintf(file, sizeof(file), "%s/enable", c->path);
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    int error = fd < 0 || write(fd, "1", 1) != 1 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return !error || error == EBUSY ||
           err_set(e, "cannot enable the hypervisor's function: %s", strerror(error));
}

static void *map_file(int fd, off_t offset, size_t size)
{
    void *p = MAP_FAILED;
    if (fd >= 0)
        p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return p;
}

// Where the kernel is locked down (Secure Boot), the driver for user space still maps BARs: number
// N at page N.
static void *map(struct cell_client *c, int bar, size_t size, struct err *e)
{
    char file[192];
    snprintf(file, sizeof(file), "%s/resource%d", c->path, bar);
    void *p = map_file(open(file, O_RDWR | O_SYNC | O_CLOEXEC), 0, size);
    int error = errno;
    if (p == MAP_FAILED && error == EPERM) {
        struct err none = {0};
        p = map_file(cell_uio_open(c->path, &none), bar * sysconf(_SC_PAGESIZE), size);
    }
    if (p == MAP_FAILED)
        err_set(e, "cannot map %s: %s", file, strerror(error));
    return p == MAP_FAILED ? NULL : p;
}

// Requests of two programs at once would mix.
static bool take_turn(struct cell_client *c, struct err *e)
{
    char file[192];
    snprintf(file, sizeof(file), "%s/config", c->path);
    c->lock = open(file, O_RDONLY | O_CLOEXEC);
    if (c->lock < 0)
        return err_set(e, "cannot open %s: %s", file, strerror(errno));
    return true;
}

bool cell_client_open(struct cell_client *c, struct err *e)
{
    memset(c, 0, sizeof(*c));
    c->lock = -1;
    if (!find_function(c, e) || !take_turn(c, e) || !enable(c, e))
        return false;
    c->regs = map(c, CONTROL_BAR_REGS, CONTROL_REGS_SIZE, e);
    c->request = c->regs ? map(c, CONTROL_BAR_SHARED, CONTROL_SHARED_SIZE, e) : NULL;
    c->window = c->request ? map(c, CONTROL_BAR_WINDOW, CONTROL_WINDOW_SIZE, e) : NULL;
    if (!c->window)
        return false;
    if (c->regs[CONTROL_ID / 4] != CONTROL_ID_VALUE ||
        c->regs[CONTROL_VERSION / 4] != CONTROL_VERSION_VALUE)
        return err_set(e, "the hypervisor is of another version than this program");
    return true;
}

u8 *cell_client_served(struct cell_client *c, struct err *e)
{
    if (!c->served)
        c->served = map(c, CONTROL_BAR_SERVED, CONTROL_SERVED_SIZE, e);
    return c->served;
}

void cell_client_close(struct cell_client *c)
{
    if (c->served)
        munmap(c->served, CONTROL_SERVED_SIZE);
    if (c->regs)
        munmap((void *)(uintptr_t)c->regs, CONTROL_REGS_SIZE);
    if (c->request)
        munmap((void *)(uintptr_t)c->request, CONTROL_SHARED_SIZE);
    if (c->window)
        munmap(c->window, CONTROL_WINDOW_SIZE);
    if (c->lock >= 0)
        close(c->lock);
}

void cell_client_begin(struct cell_client *c)
{
    memset(&c->reply, 0, sizeof(c->reply));
}

void cell_client_begin_cell(struct cell_client *c, u32 cell, u32 generation)
{
    cell_client_begin(c);
    c->reply.cell = cell;
    c->reply.generation = generation;
}

static void copy_words(volatile void *to, const volatile void *from, size_t n)
{
    volatile u64 *t = to;
    const volatile u64 *f = from;
    for (size_t i = 0; i < n / 8; i++)
        t[i] = f[i];
}

static void ring_until_done(struct cell_client *c)
{
    do {
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        c->regs[CONTROL_DOORBELL / 4] = 1;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    } while (c->request->state == CONTROL_BUSY);
}

static bool submit(struct cell_client *c, const struct control_request *r, struct err *e)
{
    size_t used = offsetof(struct control_request, data) + ((r->size + 7) & ~7u);
    if (flock(c->lock, LOCK_EX))
        return err_set(e, "cannot have the hypervisor alone: %s", strerror(errno));
    copy_words(c->request, r, used);
    c->request->state = CONTROL_SUBMITTED;
    ring_until_done(c);
    copy_words(&c->reply, c->request, sizeof(c->reply));
    flock(c->lock, LOCK_UN);
    return true;
}

// The hypervisor puts things off for two seconds at most.
bool cell_client_call(struct cell_client *c, u32 command, struct err *e)
{
    struct control_request *r = &c->reply, asked;
    r->command = command;
    r->state = CONTROL_IDLE;
    asked = *r;
    if (!submit(c, &asked, e))
        return false;
    while (r->state == CONTROL_DONE && r->result == -EAGAIN) {
        nanosleep(&(struct timespec){.tv_nsec = AGAIN_NS}, NULL);
        if (!submit(c, &asked, e))
            return false;
    }
    if (r->state != CONTROL_DONE)
        return err_set(e, "the hypervisor did not answer");
    r->text[sizeof(r->text) - 1] = 0;
    return r->result >= 0 || err_set(e, "%s", r->text[0] ? r->text : strerror(-r->result));
}

bool cell_client_info(struct cell_client *c, u32 cell, struct control_cell *info, struct err *e)
{
    cell_client_begin_cell(c, cell, 0);
    if (!cell_client_call(c, CONTROL_INFO, e))
        return false;
    memcpy(info, c->reply.data, sizeof(*info));
    return true;
}

bool cell_client_find(struct cell_client *c, const char *name, u32 *cell, struct control_cell *info,
                      struct err *e)
{
    char *end;
    unsigned long number = strtoul(name, &end, 10);
    for (u32 i = 0; i < CONTROL_MAX_CELLS; i++) {
        struct err none = {0};
        if (!cell_client_info(c, i, info, &none))
            continue;
        if (!strcmp(info->name, name) || (!*end && *name && number == i)) {
            *cell = i;
            return true;
        }
    }
    return err_set(e, "there is no cell '%s'", name);
}
