// SPDX-License-Identifier: Apache-2.0
// `lh run`. The calling thread builds the machine, then serves the event loop until the guest or
// the user ends it; the processors have threads of their own (accel.c).
#include "vmm/run.h"
#include "host/console/console.h"
#include "host/loop.h"
#include "mach/machine.h"
#include "vmm/accel.h"
#include "vmm/cpu_option.h"
#include "vmm/host_clock.h"
#include "vmm/run_help.h"
#include "vmm/run_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { STATUS_OK = 0, STATUS_USER_ERROR = 1, STATUS_GUEST_PANIC = 3 };

struct run {
    struct run_options options;
    struct log log;
    FILE *log_file;
    struct host_clock clock;
    struct loop loop;
    struct machine_config config;
    struct machine *machine;
    struct accel *accel;
    bool wants_to_quit;
    int status;
};

static void log_line(void *opaque, const char *line)
{
    fprintf((FILE *)opaque, "%s\n", line);
}

static bool open_log(struct run *r, struct err *e)
{
    const struct run_options *o = &r->options;
    r->log_file = stderr;
    if (o->log_file && !(r->log_file = fopen(o->log_file, "we")))
        return err_set(e, "-D '%s': %s", o->log_file, strerror(errno));
    setvbuf(r->log_file, NULL, _IOLBF, 0);
    r->log.sink = log_line;
    r->log.opaque = r->log_file;
    return !o->log || run_log_classes(o->log, &r->log.enabled, e);
}

static bool write_pidfile(const char *path, struct err *e)
{
    FILE *f = path ? fopen(path, "we") : NULL;
    if (path && !f)
        return err_set(e, "-pidfile '%s': %s", path, strerror(errno));
    if (f) {
        fprintf(f, "%d\n", (int)getpid());
        fclose(f);
    }
    return true;
}

static bool key_pressed(void *opaque, char key)
{
    struct run *r = opaque;
    if (key != 'x')
        return false;
    r->wants_to_quit = true;
    loop_wake(&r->loop);
    return true;
}

static bool open_serials(struct run *r, struct err *e)
{
    static const char *const on_terminal[] = {"stdio"};
    const struct option_list *asked = &r->options.serials;
    const char *const *texts = asked->n ? asked->texts : on_terminal;
    size_t n = asked->n ? asked->n : 1;
    if (n > MACHINE_N_SERIALS)
        return err_set(e, "-serial: the machine has %d serial ports", MACHINE_N_SERIALS);
    for (size_t i = 0; i < n; i++) {
        struct console *c = console_open(texts[i], &r->loop, e);
        if (!c)
            return err_context(e, "-serial");
        r->config.serials[i] = c;
        console_set_keys(c, &(struct console_keys){key_pressed, r});
    }
    return true;
}

static void guest_asks(void *opaque, enum shutdown_reason reason)
{
    struct run *r = opaque;
    loop_wake(&r->loop);
}

static bool fill_config(struct run *r, struct err *e)
{
    const struct run_options *o = &r->options;
    struct machine_config *c = &r->config;
    c->board = o->machine;
    c->n_cpus = 1;
    c->ram_size = 1ULL << 30;
    c->kernel = o->kernel;
    c->initrd = o->initrd;
    c->bios = o->bios;
    c->append = o->append;
    c->devices = o->devices.texts;
    c->n_devices = o->devices.n;
    c->drives = o->drives.texts;
    c->n_drives = o->drives.n;
    c->netdevs = o->netdevs.texts;
    c->n_netdevs = o->netdevs.n;
    c->clock = &r->clock.clock;
    c->log = &r->log;
    c->cpu_new = cpu_option_new;
    c->cpu_opaque = (void *)(uintptr_t)o->cpu;
    c->shutdown = guest_asks;
    c->shutdown_opaque = r;
    return (!o->memory || run_memory_size(o->memory, &c->ram_size, e)) &&
           (!o->smp || run_cpu_count(o->smp, &c->n_cpus, e));
}

static bool check_accel(const char *name, struct err *e)
{
    return !name || !strcmp(name, "interp") || err_set(e, "-accel '%s': there is interp", name);
}

static void rearm(void *opaque)
{
    struct host_clock *h = opaque;
    struct run *r = container_of(h, struct run, clock);
    loop_rearm(&r->loop);
}

static bool build(struct run *r, struct err *e)
{
    if (!check_accel(r->options.accel, e) || !open_log(r, e) || !loop_init(&r->loop, e))
        return false;
    host_clock_init(&r->clock);
    r->clock.clock.rearm = rearm;
    if (!fill_config(r, e) || !open_serials(r, e))
        return false;
    r->machine = machine_new(&r->config, e);
    if (!r->machine || !write_pidfile(r->options.pidfile, e))
        return false;
    loop_bind(&r->loop, &r->machine->mem.device_lock, &r->clock.clock);
    r->accel = accel_new(r->machine->cpus, r->machine->n_cpus);
    return true;
}

// The guest asked for `reason`; true: the machine goes on.
static bool handle_shutdown(struct run *r, enum shutdown_reason reason)
{
    if (reason == SHUTDOWN_GUEST_PANIC)
        r->status = STATUS_GUEST_PANIC;
    if (reason != SHUTDOWN_RESET || r->options.no_reboot)
        return false;
    accel_pause(r->accel);
    machine_reset(r->machine);
    accel_resume(r->accel);
    return true;
}

static void serve(struct run *r)
{
    accel_resume(r->accel);
    while (!r->wants_to_quit) {
        loop_run(&r->loop, NS_PER_SEC);
        unsigned asked = r->machine->shutdown_request;
        if (asked != MACHINE_RUNS && !handle_shutdown(r, asked - 1))
            break;
    }
    accel_pause(r->accel);
}

static void tear_down(struct run *r)
{
    accel_free(r->accel);
    machine_free(r->machine);
    for (unsigned i = 0; i < MACHINE_N_SERIALS; i++)
        console_close(r->config.serials[i]);
    loop_free(&r->loop);
    if (r->options.pidfile && r->machine)
        unlink(r->options.pidfile);
    if (r->log_file && r->log_file != stderr)
        fclose(r->log_file);
    options_free(run_option_table, &r->options);
}

static int user_error(const struct err *e)
{
    fprintf(stderr, "lh run: %s\n", e->text);
    return STATUS_USER_ERROR;
}

static int run_machine(struct run *r)
{
    struct err e = {0};
    if (build(r, &e))
        serve(r);
    else
        r->status = user_error(&e);
    tear_down(r);
    return r->status;
}

int run_main(int argc, char **argv)
{
    struct run r = {.status = STATUS_OK};
    struct err e = {0};
    bool is_parsed = options_parse(run_option_table, "kernel", argc, argv, &r.options, &e);
    bool is_done = is_parsed && run_help(&r.options, &e);
    if (is_done || err_is_set(&e)) {
        options_free(run_option_table, &r.options);
        return is_done ? STATUS_OK : user_error(&e);
    }
    if (r.options.name)
        prctl(PR_SET_NAME, r.options.name);
    return run_machine(&r);
}
