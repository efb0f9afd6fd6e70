// SPDX-License-Identifier: Apache-2.0
// The commands that change cells. Processors come from Linux by hotplug and go back to it; what a
// command has taken offline and could not give to a cell it puts online again.
#include "vmm/cell_console.h"
#include "vmm/cell_load.h"
#include "vmm/cell_record.h"
#include "vmm/cell_serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 5000 // of create, for a processor on its way offline
#define POLL_NS     20000000
#define KEY_TIME_S  1.0 // of shutdown, between the keys

static void pause_a_moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// Returns 0, or the errno.
static int write_online(u32 cpu, char value)
{
    char path[80];
    snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int error = fd < 0 || write(fd, &value, 1) != 1 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return error;
}

static bool is_online(u32 cpu)
{
    char path[80], value = '0';
    snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_good = fd >= 0 && read(fd, &value, 1) == 1;
    if (fd >= 0)
        close(fd);
    return is_good && value == '1';
}

static void put_online(u32 cpus)
{
    for (u32 i = 0; i < CONTROL_MAX_CPUS; i++)
        if (cpus >> i & 1)
            write_online(i, '1');
}

// `taken` gets those that were online before.
static bool take_offline(const struct cell_description *d, u32 *taken, struct err *e)
{
    const struct cell_blob_cpu *cpus = (const void *)(&d->head + 1);
    for (u32 i = 0; i < d->head.n_cpus; i++) {
        if (!is_online(cpus[i].id))
            continue;
        int error = write_online(cpus[i].id, '0');
        if (error)
            return err_set(e, "cannot take processor %u offline: %s", cpus[i].id, strerror(error));
        *taken |= 1u << cpus[i].id;
    }
    return true;
}

// A processor that was taken offline needs a moment until it waits where it can be had.
static bool create(struct cell_job *j, const struct cell_description *d)
{
    double end = now() + PATIENCE_MS / 1e3;
    for (;;) {
        cell_client_begin(j->c);
        memcpy(j->c->reply.data, d->bytes, d->head.size);
        j->c->reply.size = d->head.size;
        if (cell_client_call(j->c, CONTROL_CREATE, j->e))
            return true;
        if (j->c->reply.result != -EBUSY || now() > end)
            return false;
        j->e->text[0] = 0;
        pause_a_moment();
    }
}

static bool create_from(struct cell_job *j, struct cell_record *r, u32 *cell)
{
    u32 taken = 0;
    memset(r, 0, sizeof(*r));
    if (!j->o->target)
        return err_set(j->e, "which description? name its file");
    if (!cell_compile_file(&r->description, j->o->target, j->e))
        return false;
    if (!take_offline(&r->description, &taken, j->e) || !create(j, &r->description)) {
        put_online(taken);
        return false;
    }
    *cell = j->c->reply.cell;
    r->generation = j->c->reply.generation;
    cell_record_write(r);
    return true;
}

bool cell_create(struct cell_job *j)
{
    static struct cell_record r;
    u32 cell;
    if (!create_from(j, &r, &cell))
        return false;
    fprintf(j->out, "cell %u '%s' made\n", cell, r.description.head.name);
    return true;
}

static bool load(struct cell_job *j, struct cell_record *r, u32 cell,
                 const struct control_cell *info)
{
    bool is_known = !memcmp(r->description.head.name, info->name, sizeof(info->name));
    if (info->state == CONTROL_CELL_RUNNING)
        return err_set(j->e, "cell '%s' runs", info->name);
    if (!cell_load_kernel(j, cell, info, is_known ? &r->description : NULL, &r->boot))
        return false;
    r->is_loaded = true;
    cell_record_write(r);
    return true;
}

static bool start(struct cell_job *j, const struct cell_record *r, u32 cell, u32 generation)
{
    cell_client_begin_cell(j->c, cell, generation);
    j->c->reply.args[0] = ~0ULL;
    if (r->is_loaded) {
        j->c->reply.args[0] = r->boot.entry;
        memcpy(j->c->reply.args + 1, r->boot.args, sizeof(r->boot.args));
    }
    return cell_client_call(j->c, CONTROL_START, j->e);
}

// The cell that the command names, and its record, empty if there is none.
static bool find(struct cell_job *j, struct cell_record *r, u32 *cell, struct control_cell *info)
{
    if (!cell_named(j, cell, info))
        return false;
    if (!cell_record_read(r, info->name, info->generation))
        memset(r, 0, sizeof(*r));
    r->generation = info->generation;
    return true;
}

bool cell_load(struct cell_job *j)
{
    static struct cell_record r;
    struct control_cell info;
    u32 cell;
    return find(j, &r, &cell, &info) && load(j, &r, cell, &info);
}

// A new cell's memory is zeros, and the hypervisor would run those. Without a record, in a root
// cell that has started anew, it is not known what was loaded.
static bool need_kernel(struct cell_job *j, const struct cell_record *r,
                        const struct control_cell *info)
{
    bool is_known = *r->description.head.name;
    return info->state != CONTROL_CELL_CREATED || !is_known || r->is_loaded ||
           err_set(j->e, "cell '%s' has no kernel; 'lh cell load' puts one into it", info->name);
}

bool cell_start(struct cell_job *j)
{
    static struct cell_record r;
    struct control_cell info;
    u32 cell;
    return find(j, &r, &cell, &info) && need_kernel(j, &r, &info) &&
           start(j, &r, cell, info.generation);
}

static bool serve(struct cell_job *j, const struct cell_record *r)
{
    return !cell_serve_has_work(&r->description) ||
           cell_serve_in_background(j, r->description.head.name);
}

// A cell that could not be started goes at once: nobody has seen it.
bool cell_run(struct cell_job *j)
{
    static struct cell_record r;
    struct control_cell info;
    u32 cell;
    if (!create_from(j, &r, &cell))
        return false;
    if (!cell_client_info(j->c, cell, &info, j->e) || !serve(j, &r) || !load(j, &r, cell, &info) ||
        !start(j, &r, cell, info.generation)) {
        struct err other = {0};
        struct cell_job undo = {.o = j->o, .c = j->c, .out = j->out, .e = &other};
        cell_destroy_it(&undo, cell, &info);
        return false;
    }
    fprintf(j->out, "cell %u '%s' runs\n", cell, info.name);
    while (!j->o->keep) {
        if (!cell_console_run(j, cell, info.generation))
            return false;
        if (!cell_client_info(j->c, cell, &info, j->e))
            return false;
        if (info.state == CONTROL_CELL_RUNNING || !j->c->reply.args[0])
            break;
        if (!load(j, &r, cell, &info) || !start(j, &r, cell, info.generation))
            return false;
    }
    return true;
}

static bool simple(struct cell_job *j, u32 command)
{
    struct control_cell info;
    u32 cell;
    if (!cell_named(j, &cell, &info))
        return false;
    cell_client_begin_cell(j->c, cell, info.generation);
    return cell_client_call(j->c, command, j->e);
}

bool cell_stop(struct cell_job *j)
{
    return simple(j, CONTROL_STOP);
}

bool cell_reset(struct cell_job *j)
{
    return simple(j, CONTROL_RESET);
}

static bool wait_for_end(struct cell_job *j, u32 cell, struct control_cell *info)
{
    double end = now() + j->patience_s;
    while (cell_client_info(j->c, cell, info, j->e)) {
        if (info->state != CONTROL_CELL_RUNNING)
            return true;
        if (now() > end)
            return err_set(j->e, "cell '%s' still runs; 'lh cell stop' ends it", info->name);
        pause_a_moment();
    }
    return false;
}

bool cell_wait(struct cell_job *j)
{
    struct control_cell info;
    u32 cell;
    if (!cell_named(j, &cell, &info) || !wait_for_end(j, cell, &info))
        return false;
    fprintf(j->out, "cell %u '%s' %s: %s\n", cell, info.name, cell_state_name(info.state),
            info.cause);
    return true;
}

// Linux obeys keys that follow a break on its serial console, without any program (SysRq).
static bool press(struct cell_job *j, u32 cell, u32 generation, u8 key)
{
    cell_client_begin_cell(j->c, cell, generation);
    j->c->reply.data[0] = key;
    j->c->reply.size = 1;
    j->c->reply.args[1] = 1;
    return cell_client_call(j->c, CONTROL_CONSOLE_WRITE, j->e);
}

// Writes out what is dirty, makes file systems read-only, powers off; the first two are given the
// time that they need on a machine that does nothing else, for nothing says when they are done.
static bool press_power_key(struct cell_job *j, u32 cell, struct control_cell *info)
{
    static const char keys[] = "suo";
    for (const char *key = keys; *key; key++) {
        double end = now() + KEY_TIME_S;
        if (!press(j, cell, info->generation, (u8)*key))
            return false;
        while (key[1] && now() < end) {
            if (!cell_client_info(j->c, cell, info, j->e))
                return false;
            if (info->state != CONTROL_CELL_RUNNING)
                return true;
            pause_a_moment();
        }
    }
    return true;
}

bool cell_shutdown(struct cell_job *j)
{
    static struct cell_record r;
    struct control_cell info;
    u32 cell;
    if (!find(j, &r, &cell, &info) || !simple(j, CONTROL_SHUTDOWN))
        return false;
    if (r.is_loaded && r.boot.is_linux && !press_power_key(j, cell, &info))
        return false;
    if (!wait_for_end(j, cell, &info))
        return false;
    fprintf(j->out, "cell %u '%s' %s: %s\n", cell, info.name, cell_state_name(info.state),
            info.cause);
    return true;
}

bool cell_destroy_it(struct cell_job *j, u32 cell, const struct control_cell *info)
{
    cell_client_begin_cell(j->c, cell, info->generation);
    if (!cell_client_call(j->c, CONTROL_DESTROY, j->e))
        return false;
    cell_serve_wait_for_end(info->name);
    put_online(info->cpus);
    cell_record_remove(info->name);
    return true;
}

bool cell_destroy(struct cell_job *j)
{
    struct control_cell info;
    u32 cell;
    return cell_named(j, &cell, &info) && cell_destroy_it(j, cell, &info);
}
