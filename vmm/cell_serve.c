// SPDX-License-Identifier: Apache-2.0
// One process for each cell: it sees the memory of that cell alone, and its end is the business of
// that cell alone. Events come by the interrupt of the management function if Linux has its driver
// for user space, else they are looked for every millisecond.
#include "vmm/cell_serve.h"
#include "base/bits.h"
#include "base/bug.h"
#include "dev/pcie_host.h"
#include "host/backends.h"
#include "host/block/block.h"
#include "host/console/console.h"
#include "host/loop.h"
#include "host/net/netdev.h"
#include "vmm/cell_device.h"
#include "vmm/cell_record.h"
#include "vmm/cell_uio.h"
#include "vmm/host_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FOLDER   "/run/longhouse"
#define POLL_NS  1000000ULL
#define CHECK_NS NS_PER_SEC // of whether the cell is still there

#define LOCK_POLL_MS 20
#define DEATH_MS     1000 // for a program that was killed to be gone
#define END_MS       5000 // for one whose cell is gone

struct server {
    struct cell_job *j;
    u32 cell;
    struct control_cell info;
    struct cell_description d;
    struct mem_space mem;
    struct host_clock clock;
    struct log log;
    struct loop loop;
    struct backends backends;
    struct pcie_host *host;
    struct device_env env;
    struct cell_devices devices;
    struct console *consoles[CONTROL_MAX_SLOTS];
    struct loop_fd uio;
    bool is_over; // the cell is gone
};

static volatile sig_atomic_t must_end;

static void on_signal(int number)
{
    must_end = 1;
}

// The hypervisor takes memory away with its cell.
static void on_fault(int number)
{
    static const char text[] = "lh cell serve: the cell's memory is gone\n";
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    _exit(1);
}

static void set_signals(void)
{
    struct sigaction end = {.sa_handler = on_signal}, fault = {.sa_handler = on_fault};
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGINT, &end, NULL);
    sigaction(SIGBUS, &fault, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static const struct cell_backend *backend_of(const struct cell_description *d, unsigned slot)
{
    return slot < CELL_MAX_SLOTS && d->backend[slot].kind ? &d->backend[slot] : NULL;
}

bool cell_serve_has_work(const struct cell_description *d)
{
    for (unsigned i = 0; i < CELL_MAX_SLOTS; i++)
        if (backend_of(d, i))
            return true;
    return false;
}

static bool call(struct server *s, u32 command, u64 a, u64 b)
{
    struct control_request *r = &s->j->c->reply;
    r->args[0] = a;
    r->args[1] = b;
    return cell_client_call(s->j->c, command, s->j->e);
}

static void begin(struct server *s)
{
    cell_client_begin_cell(s->j->c, s->cell, s->info.generation);
}

// The files of a cell's devices belong to one program at a time, whose number is in this file and
// which has it locked. -1: it cannot be had within `ms`, or made; errno says why.
static int lock_file(const char *name, int flags, unsigned ms)
{
    char path[96];
    snprintf(path, sizeof(path), FOLDER "/%.32s.serve", name);
    int fd = open(path, flags | O_RDWR | O_CLOEXEC, 0600);
    for (; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB); ms -= LOCK_POLL_MS) {
        if (ms < LOCK_POLL_MS) {
            close(fd);
            errno = EWOULDBLOCK;
            return -1;
        }
        nanosleep(&(struct timespec){.tv_nsec = LOCK_POLL_MS * 1000000}, NULL);
    }
    return fd;
}

void cell_serve_wait_for_end(const char *name)
{
    int fd = lock_file(name, 0, END_MS);
    if (fd >= 0)
        close(fd);
}

// Until this process ends.
static bool take_turn(struct server *s)
{
    char number[16];
    int n = snprintf(number, sizeof(number), "%d\n", (int)getpid());
    int fd = lock_file(s->info.name, O_CREAT, DEATH_MS);
    if (fd < 0 && errno == EWOULDBLOCK)
        return err_set(s->j->e, "cell '%s' is served already", s->info.name);
    return (fd >= 0 && !ftruncate(fd, 0) && write(fd, number, (size_t)n) == n) ||
           err_set(s->j->e, FOLDER "/%s.serve: %s", s->info.name, strerror(errno));
}

static bool see_memory(struct server *s)
{
    u64 where[ARRAY_LEN(s->info.regions)];
    u8 *served = cell_client_served(s->j->c, s->j->e);
    begin(s);
    if (!served || !call(s, CONTROL_SERVE, 1, 0))
        return false;
    memcpy(where, s->j->c->reply.data, sizeof(where));
    for (u32 i = 0; i < s->info.n_regions; i++) {
        const struct control_region *r = &s->info.regions[i];
        if (where[i] != ~0ULL &&
            !mem_lend_ram(&s->mem, r->gpa, r->size, served + where[i], s->j->e))
            return false;
    }
    return true;
}

// The cell outlives the root cell's kernel, and would take for written what was lost with that.
static bool add_drive(struct server *s, const struct cell_backend *b, const char *id)
{
    struct block *block = block_open_raw(b->text, b->is_readonly, s->j->e);
    if (!block)
        return false;
    block->is_through = true;
    if (backends_add_drive(&s->backends, id, block, s->j->e))
        return true;
    block_free(block);
    return false;
}

static bool add_netdev(struct server *s, const struct cell_backend *b, const char *id)
{
    char *given = NULL;
    struct netdev *n = netdev_open(b->text, &given, s->j->e);
    free(given);
    if (!n)
        return false;
    if (backends_add_netdev(&s->backends, id, n, s->j->e))
        return true;
    netdev_free(n);
    return false;
}

static bool add_chardev(struct server *s, const struct cell_backend *b, unsigned slot,
                        const char *id)
{
    struct console *c = console_open(b->text, &s->loop, s->j->e);
    s->consoles[slot] = c;
    return c && backends_add_chardev(&s->backends, id, c, s->j->e);
}

static bool make_device(struct server *s, unsigned slot, const struct cell_backend *b)
{
    char id[16], properties[96];
    snprintf(id, sizeof(id), "slot%u", slot);
    switch (b->kind) {
    case CELL_DEVICE_VIRTIO_BLOCK:
        snprintf(properties, sizeof(properties), "drive=%s,in-order=on", id);
        return add_drive(s, b, id) &&
               cell_device_make(&s->devices, slot, "virtio-blk-pci", properties, &s->env, s->j->e);
    case CELL_DEVICE_VIRTIO_NET:
        snprintf(properties, sizeof(properties), "netdev=%s,mac=%s", id, b->mac);
        return add_netdev(s, b, id) &&
               cell_device_make(&s->devices, slot, "virtio-net-pci", properties, &s->env, s->j->e);
    default:
        snprintf(properties, sizeof(properties), "chardev=%s", id);
        return add_chardev(s, b, slot, id) &&
               cell_device_make(&s->devices, slot, "virtio-serial-pci", properties, &s->env,
                                s->j->e);
    }
}

// One store, which any thread may do.
static void raise_interrupt(void *opaque, unsigned slot, unsigned queue)
{
    struct server *s = opaque;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    s->j->c->regs[CONTROL_RAISE / 4] =
        CONTROL_RAISE_VALUE(s->info.generation, s->cell, slot, queue);
}

static bool offer(struct server *s, struct cell_device *d)
{
    struct control_virtio t;
    d->raise = raise_interrupt;
    d->opaque = s;
    cell_device_template(d, &t);
    begin(s);
    memcpy(s->j->c->reply.data, &t, sizeof(t));
    s->j->c->reply.size = sizeof(t);
    return call(s, CONTROL_VIRTIO_SET, d->slot, 0);
}

static bool make_devices(struct server *s)
{
    for (unsigned i = 1; i < CELL_MAX_SLOTS; i++) {
        const struct cell_backend *b = backend_of(&s->d, i);
        if (b && (!make_device(s, i, b) || !offer(s, &s->devices.slot[i])))
            return err_context(s->j->e, "device in slot %u", i);
    }
    return true;
}

static void log_line(void *opaque, const char *line)
{
    fprintf(stderr, "lh cell serve: %s\n", line);
}

static bool set_up(struct server *s)
{
    s->log = (struct log){.enabled = 1u << LOG_GUEST, .sink = log_line};
    mem_space_init(&s->mem, &s->log);
    host_clock_init(&s->clock);
    s->env = (struct device_env){
        .mem = &s->mem, .clock = &s->clock.clock, .log = &s->log, .backends = &s->backends};
    if (!loop_init(&s->loop, s->j->e))
        return false;
    s->host = (struct pcie_host *)device_new(device_type_find("pcie-host"), &s->env);
    return device_realize(&s->host->d, s->j->e);
}

static bool follow(struct server *s, struct cell_device *d)
{
    struct control_virtio_state state;
    begin(s);
    if (!call(s, CONTROL_VIRTIO_GET, d->slot, 0))
        return false;
    memcpy(&state, s->j->c->reply.data, sizeof(state));
    if (!cell_device_follow(d, &state))
        return true;
    begin(s);
    return call(s, CONTROL_VIRTIO_LET_GO, d->slot, state.epoch);
}

static const volatile struct control_events *events_of(const struct server *s, unsigned slot)
{
    const volatile u8 *shared = (const volatile u8 *)s->j->c->request;
    const volatile void *events = shared + CONTROL_EVENTS;
    return (const volatile struct control_events *)events + s->cell * CONTROL_MAX_SLOTS + slot;
}

static bool look(struct server *s)
{
    for (unsigned i = 1; i < CONTROL_MAX_SLOTS; i++) {
        struct cell_device *d = &s->devices.slot[i];
        if (!d->slot)
            continue;
        if (cell_device_poll(d, events_of(s, i)) && !follow(s, d))
            return false;
        if (d->is_broken) {
            d->is_broken = false;
            begin(s);
            if (!call(s, CONTROL_VIRTIO_BROKEN, i, 0))
                return false;
        }
    }
    return true;
}

// What came before it is armed again is seen by the look that follows.
static void arm(struct server *s)
{
    s->j->c->regs[CONTROL_ARM / 4] = 1;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void interrupted(void *opaque, unsigned events)
{
    struct server *s = opaque;
    cell_uio_take(s->uio.fd);
    arm(s);
}

static void find_interrupt(struct server *s)
{
    struct err why = {0};
    s->uio = (struct loop_fd){
        .fd = cell_uio_open(s->j->c->path, &why), .ready = interrupted, .opaque = s};
    if (s->uio.fd >= 0 && !loop_add(&s->loop, &s->uio, LOOP_READ)) {
        arm(s);
        return;
    }
    fprintf(stderr, "lh cell serve: %s; looking for events every millisecond\n", why.text);
}

static bool is_there(struct server *s)
{
    struct control_cell now;
    struct err none = {0};
    return cell_client_info(s->j->c, s->cell, &now, &none) && now.generation == s->info.generation;
}

static bool serve(struct server *s)
{
    bool is_good = true;
    for (u64 checked = 0; is_good && !must_end && !s->is_over;) {
        loop_run(&s->loop, s->uio.fd >= 0 ? CHECK_NS : POLL_NS);
        u64 now = clock_now(&s->clock.clock);
        mem_lock(&s->mem);
        is_good = look(s);
        if (!is_good || now - checked >= CHECK_NS) {
            s->is_over = !is_there(s);
            checked = now;
        }
        mem_unlock(&s->mem);
    }
    return is_good || s->is_over;
}

static void rearm(void *opaque)
{
    struct host_clock *h = opaque;
    loop_rearm(&container_of(h, struct server, clock)->loop);
}

// Requests in flight are left to a successor.
static void tear_down(struct server *s)
{
    for (unsigned i = 0; i < CONTROL_MAX_SLOTS; i++)
        if (s->devices.slot[i].slot)
            cell_device_free(&s->devices.slot[i]);
    for (unsigned i = 0; i < CONTROL_MAX_SLOTS; i++)
        if (s->consoles[i])
            console_close(s->consoles[i]);
    begin(s);
    struct err none = {0};
    struct err *e = s->j->e;
    s->j->e = &none;
    if (!s->is_over)
        call(s, CONTROL_SERVE, 0, 0);
    s->j->e = e;
}

// The record of a cell that a root cell made which is gone: cells outlive the crash of its kernel.
// The hypervisor compares what is offered with what it granted.
static bool make_record(struct server *s, struct cell_record *r)
{
    memset(r, 0, sizeof(*r));
    if (!cell_compile_file(&r->description, s->j->o->description, s->j->e))
        return false;
    if (strncmp(r->description.head.name, s->info.name, CELL_NAME_SIZE))
        return err_set(s->j->e, "%s: it describes '%.*s'", s->j->o->description, CELL_NAME_SIZE,
                       r->description.head.name);
    r->generation = s->info.generation;
    cell_record_write(r);
    return true;
}

static bool find_record(struct server *s, struct cell_record *r)
{
    if (s->j->o->description)
        return make_record(s, r);
    return cell_record_read(r, s->info.name, s->info.generation) ||
           err_set(s->j->e, "there is no record of how cell '%s' was made: name its --description",
                   s->info.name);
}

static bool find_cell(struct server *s, const char *name)
{
    static struct cell_record r;
    if (!cell_client_find(s->j->c, name, &s->cell, &s->info, s->j->e) || !find_record(s, &r))
        return false;
    s->d = r.description;
    return cell_serve_has_work(&s->d) ||
           err_set(s->j->e, "cell '%s' has no devices to serve", s->info.name);
}

// `ready` is told when the cell may start.
static bool run(struct cell_job *j, const char *name, void (*ready)(void *opaque), void *opaque)
{
    static struct server s;
    s.j = j;
    s.uio.fd = -1;
    if (!find_cell(&s, name) || !take_turn(&s) || !set_up(&s))
        return false;
    s.clock.clock.rearm = rearm;
    set_signals();
    bool is_good = see_memory(&s) && make_devices(&s);
    if (is_good) {
        loop_bind(&s.loop, &s.mem.device_lock, &s.clock.clock);
        find_interrupt(&s);
        // Devices that were in use before are so at once.
        mem_lock(&s.mem);
        for (unsigned i = 1; is_good && i < CONTROL_MAX_SLOTS; i++)
            is_good = !s.devices.slot[i].slot || follow(&s, &s.devices.slot[i]);
        mem_unlock(&s.mem);
        if (is_good)
            ready(opaque);
        is_good = is_good && serve(&s);
    }
    tear_down(&s);
    return is_good;
}

static void say_ready(void *opaque)
{
    struct cell_job *j = opaque;
    fprintf(j->out, "cell '%s' is served\n", j->o->target);
    fflush(j->out);
}

struct child {
    int pipe;
    const char *name;
    bool is_ready;
};

// From now on what it says is for a file.
static void say_ready_and_hide(void *opaque)
{
    struct child *c = opaque;
    char path[96];
    snprintf(path, sizeof(path), FOLDER "/%.32s.log", c->name);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC),
        log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    (void)!write(c->pipe, "", 1);
    c->is_ready = true;
    for (int fd = 0; fd < 3; fd++)
        dup2(fd == 2 && log >= 0 ? log : null, fd);
}

_Noreturn static void be_child(struct cell_job *j, const char *name, int pipe)
{
    static struct cell_client client;
    struct err e = {0};
    struct cell_job own = {.o = j->o, .c = &client, .out = j->out, .e = &e};
    struct child c = {pipe, name, false};
    setsid();
    if (cell_client_open(&client, &e))
        run(&own, name, say_ready_and_hide, &c);
    if (!c.is_ready)
        (void)!write(pipe, e.text, strlen(e.text) + 1);
    else if (*e.text)
        fprintf(stderr, "lh cell serve: %s\n", e.text);
    _exit(0);
}

// The child says nothing but a NUL, or what is wrong.
bool cell_serve_in_background(struct cell_job *j, const char *name)
{
    int ends[2];
    char text[sizeof(j->e->text)] = "the program that serves it has ended";
    if (pipe2(ends, O_CLOEXEC))
        return err_set(j->e, "pipe: %s", strerror(errno));
    fflush(NULL);
    pid_t child = fork();
    if (!child)
        be_child(j, name, ends[1]);
    close(ends[1]);
    ssize_t n = child > 0 ? read(ends[0], text, sizeof(text) - 1) : -1;
    close(ends[0]);
    if (n > 0 && !text[0])
        return true;
    return err_set(j->e, "%s", child < 0 ? strerror(errno) : text);
}

bool cell_serve(struct cell_job *j)
{
    if (!j->o->target)
        return err_set(j->e, "which cell? 'lh cell list' shows them");
    if (!j->o->background)
        return run(j, j->o->target, say_ready, j);
    if (!cell_serve_in_background(j, j->o->target))
        return false;
    fprintf(j->out, "cell '%s' is served\n", j->o->target);
    return true;
}
