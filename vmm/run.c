// SPDX-License-Identifier: Apache-2.0
// `lh run`. The calling thread builds the machine, then serves the event loop until the guest or
// the user ends it. The processors have threads of their own (accel.c); where time is counted they
// take turns with the event loop (turns.c).
//
// Whatever of the user's would be changed (log, pid file, consoles) is opened in `start`, when the
// machine is built and nothing can be refused any more.
#include "vmm/verbs.h"
#include "host/console/terminal.h"
#include "host/loop.h"
#include "cpu/loongarch64/links.h"
#include "jit/jit.h"
#include "mach/machine.h"
#include "vmm/accel.h"
#include "vmm/accel_kvm.h"
#include "vmm/accel_option.h"
#include "vmm/host_clock.h"
#include "vmm/icount_option.h"
#include "vmm/log_file.h"
#include "vmm/monitor.h"
#include "vmm/out_file.h"
#include "vmm/pace.h"
#include "vmm/panic_watch.h"
#include "vmm/ports.h"
#include "vmm/run_check.h"
#include "vmm/run_config.h"
#include "vmm/run_help.h"
#include "vmm/run_options.h"
#include "vmm/screen.h"
#include "vmm/signals.h"
#include "vmm/stats.h"
#include "vmm/turns.h"

#include <stdlib.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { STATUS_OK = 0, STATUS_USER_ERROR = 1, STATUS_INTERNAL = 2, STATUS_GUEST_PANIC = 3 };

// While something is counted or waited for on the status line, or after a panic.
#define TICK (NS_PER_SEC / 4)

struct run {
    struct run_options options;
    struct machine_config config;
    struct log_file log;
    struct out_file pidfile;
    struct icount_option icount;
    struct clock *clock; // one of the two
    struct host_clock host_clock;
    struct insn_clock insn_clock;
    struct loop loop;
    struct screen screen;
    struct ports ports;
    struct panic_watch panic;
    struct machine *machine;
    struct accel *accel; // NULL with turns
    struct turns *turns; // NULL: time is not counted
    struct accel_option choice;
    struct pace pace;
    struct monitor monitor;
    struct accel_kvm *kvm;      // NULL: the interpreter or the translator runs the processors
    struct la_links *links;     // NULL: a link is to a value
    struct jit *jit;            // NULL: nothing is translated
    struct cpu *_Atomic failed; // cannot go on
    bool has_loop;
};

static const char *boot_name(const struct run *r)
{
    const char *path = r->options.kernel ? r->options.kernel : r->options.bios;
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path ? path : "the machine";
}

// Device lock held, any thread.
static void guest_asks(void *opaque, enum shutdown_reason reason)
{
    struct run *r = opaque;
    if (reason == SHUTDOWN_GUEST_PANIC)
        panic_watch_tell(&r->panic, clock_now(r->clock));
    if (r->turns)
        turns_stop(r->turns);
    loop_wake(&r->loop);
}

// A processor's thread.
static void processor_failed(void *opaque, struct cpu *c)
{
    struct run *r = opaque;
    r->failed = c;
    loop_wake(&r->loop);
}

static void rearm(void *opaque)
{
    struct host_clock *h = opaque;
    struct run *r = container_of(h, struct run, host_clock);
    loop_rearm(&r->loop);
}

static bool choose_accel(struct run *r, struct err *e)
{
    if (!accel_option_parse(r->options.accel, &r->choice, e))
        return false;
    if (r->choice.kind == ACCEL_JIT)
        return jit_is_possible(e) || err_context(e, "-accel jit");
    if (r->choice.kind != ACCEL_KVM)
        return true;
    r->kvm = accel_kvm_new(r->options.cpu, e);
    r->config.cpu_new = accel_kvm_cpu_new;
    r->config.cpu_opaque = r->kvm;
    if (!r->kvm)
        return err_context(e, "-accel kvm");
    struct machine_option m;
    if (!machine_option_parse(r->options.machine, &m, e))
        return false;
    r->config.irqchip = accel_kvm_irqchip(r->kvm, m.kernel_irqchip, r->config.n_cpus, e);
    if (r->config.irqchip && m.ipi_delay_ns)
        return err_set(e, "-machine: ipi-delay: only the machine's own controllers have it; add "
                          "kernel-irqchip=off");
    return r->config.irqchip || !err_is_set(e);
}

static bool choose_clock(struct run *r, struct err *e)
{
    if (!icount_option_parse(&r->icount, r->options.icount, e))
        return false;
    insn_clock_init(&r->insn_clock, r->icount.shift);
    r->clock = r->icount.is_on ? &r->insn_clock.clock : &r->host_clock.clock;
    return true;
}

// Everything that can be refused before there is a machine.
static bool prepare(struct run *r, struct err *e)
{
    const struct run_options *o = &r->options;
    u32 log_classes = 0;
    if (!choose_clock(r, e))
        return false;
    r->monitor = (struct monitor){.loop = &r->loop, .pace = &r->pace};
    r->ports = (struct ports){.loop = &r->loop,
                              .clock = r->clock,
                              .screen = &r->screen,
                              .panic = &r->panic,
                              .monitor = &r->monitor};
    if (!run_check(o, e) || !run_config_fill(&r->config, o, e) || !choose_accel(r, e) ||
        (o->log && !run_log_classes(o->log, &log_classes, e)) ||
        !ports_make(&r->ports, o, &r->config, e))
        return false;
    if (o->pidfile && !out_file_open(&r->pidfile, o->pidfile, true, e))
        return err_context(e, "-pidfile '%s'", o->pidfile);
    if (!log_file_open(&r->log, o->log_file, e))
        return false;
    r->log.log.enabled = log_classes;
    return true;
}

static void fill_callbacks(struct run *r)
{
    struct machine_config *c = &r->config;
    c->clock = r->clock;
    c->loop = &r->loop;
    c->log = &r->log.log;
    c->shutdown = guest_asks;
    c->shutdown_opaque = r;
}

static void start_links(struct run *r)
{
    if (!r->choice.exact_links)
        return;
    r->links = la_links_new(&r->machine->mem);
    for (unsigned i = 0; i < r->machine->n_cpus; i++)
        la_links_add_cpu(r->links, (struct la_cpu *)(void *)r->machine->cpus[i]);
}

// Without -accel a host that cannot translate interprets.
static bool start_translator(struct run *r, struct err *e)
{
    struct err why = {0};
    enum accel_kind kind = r->choice.kind;
    if (kind != ACCEL_JIT && (kind != ACCEL_DEFAULT || !jit_is_possible(&why)))
        return true;
    r->choice.jit.count = r->icount.is_on;
    r->jit = jit_new(&r->machine->mem, &r->log.log, &r->choice.jit, e);
    for (unsigned i = 0; r->jit && i < r->machine->n_cpus; i++)
        jit_add_cpu(r->jit, (struct la_cpu *)(void *)r->machine->cpus[i]);
    return r->jit;
}

static void start_processors(struct run *r)
{
    struct machine *m = r->machine;
    if (r->icount.is_on) {
        // Timers are for whoever counts.
        loop_bind(&r->loop, &m->mem.device_lock, NULL);
        r->turns = turns_new(m->cpus, m->n_cpus, &r->insn_clock, &m->mem.device_lock);
    } else {
        loop_bind(&r->loop, &m->mem.device_lock, r->clock);
        r->accel = accel_new(m->cpus, m->n_cpus, processor_failed, r);
    }
}

static bool build(struct run *r, struct err *e)
{
    host_clock_init(&r->host_clock);
    r->host_clock.clock.rearm = rearm;
    if (r->options.paused)
        host_clock_stop(&r->host_clock); // the guest's time begins when the processors do
    fill_callbacks(r);
    screen_status(&r->screen, "loading %s", boot_name(r));
    r->machine = machine_new(&r->config, e);
    screen_hide_status(&r->screen);
    if (!r->machine)
        return false;
    start_links(r);
    if (!start_translator(r, e))
        return false;
    start_processors(r);
    // Counted time stands still by itself while nobody counts.
    pace_init(&r->pace, r->accel, r->turns ? NULL : &r->host_clock, &r->machine->mem);
    r->monitor.machine = r->machine;
    r->monitor.jit = r->jit;
    if (r->options.paused)
        pace_stop(&r->pace);
    return true;
}

static bool is_told_to_end(const struct run *r)
{
    return r->ports.wants_to_quit || r->monitor.wants_to_quit || signals_seen(NULL);
}

static bool start(struct run *r, struct err *e)
{
    if (!ports_start(&r->ports, e))
        return false;
    signals_set_hurry(false);
    while (ports_await_client(&r->ports) && !is_told_to_end(r))
        loop_run(&r->loop, NS_PER_SEC);
    log_file_begin(&r->log);
    if (r->options.pidfile) {
        out_file_begin(&r->pidfile);
        dprintf(r->pidfile.fd, "%d\n", (int)getpid());
    }
    return true;
}

// The guest asked for `reason`; true: the machine goes on.
static bool handle_shutdown(struct run *r, enum shutdown_reason reason)
{
    unsigned asked = 1 + (unsigned)reason;
    if (reason == SHUTDOWN_GUEST_PANIC) {
        // The guest goes on; has_panicked is set. What it asked for meanwhile stays.
        atomic_compare_exchange_strong(&r->machine->shutdown_request, &asked, MACHINE_RUNS);
        return true;
    }
    if (reason != SHUTDOWN_RESET || r->options.no_reboot)
        return false;
    pace_hold(&r->pace);
    machine_reset(r->machine);
    if (r->turns)
        turns_reset(r->turns);
    pace_release(&r->pace);
    return true;
}

static u64 millions_of_instructions(const struct machine *m)
{
    u64 n = 0;
    for (unsigned i = 0; i < m->n_cpus; i++)
        n += __atomic_load_n(&m->cpus[i]->n_insns, __ATOMIC_RELAXED);
    return n / 1000000;
}

static void show_status(struct run *r)
{
    char count[64] = "";
    if (!r->screen.has_status)
        return;
    if (r->pace.is_stopped) {
        screen_status(&r->screen, "%s: stopped; 'cont' in the monitor (%s) lets it go on",
                      boot_name(r), terminal_is_raw() ? "Ctrl-a c" : "-monitor");
        return;
    }
    if (!r->kvm && (!r->jit || r->turns)) // which do not count
        snprintf(count, sizeof(count), " %llu million instructions,",
                 (unsigned long long)millions_of_instructions(r->machine));
    screen_status(&r->screen, "%s: waiting for the guest's first output,%s %s ends", boot_name(r),
                  count, terminal_is_raw() ? "Ctrl-a x" : "Ctrl-c");
}

static bool goes_on(struct run *r)
{
    unsigned asked = r->machine->shutdown_request;
    if (asked != MACHINE_RUNS && !handle_shutdown(r, asked - 1))
        return false;
    if (is_told_to_end(r) || r->failed)
        return false;
    return !r->options.no_reboot || !panic_watch_is_over(&r->panic, clock_now(r->clock));
}

// Everything on this thread. Where no processor has anything to do any more, only the user's input
// can change that.
static void serve_counted(struct run *r)
{
    enum turns_end end = TURNS_GO_ON;
    pace_release(&r->pace);
    for (unsigned n = 0; goes_on(r) && end != TURNS_FAILED; n++) {
        if (n % 64 == 0)
            show_status(r);
        end = pace_runs(&r->pace) ? turns_run(r->turns) : TURNS_ASLEEP;
        loop_run(&r->loop, end == TURNS_ASLEEP ? NS_PER_SEC : 0);
        monitor_serve(&r->monitor);
    }
    r->failed = turns_failed(r->turns);
}

static void serve(struct run *r)
{
    pace_release(&r->pace);
    while (goes_on(r)) {
        bool is_watched = r->screen.has_status || r->panic.has_panicked;
        show_status(r);
        loop_run(&r->loop, is_watched ? TICK : NS_PER_SEC);
        monitor_serve(&r->monitor);
    }
    pace_hold(&r->pace);
}

static void tear_down(struct run *r)
{
    accel_free(r->accel);
    if (r->accel || r->turns)
        stats_tell(&r->log.log, r->machine, r->jit, clock_now(r->clock));
    turns_free(r->turns);
    for (unsigned i = 0; r->machine && i < r->machine->n_cpus; i++)
        if (r->machine->cpus[i]->ops->report)
            r->machine->cpus[i]->ops->report(r->machine->cpus[i]);
    jit_free(r->jit);
    la_links_free(r->links);
    machine_free(r->machine);
    accel_kvm_free(r->kvm);
    screen_end_status(&r->screen);
    ports_close(&r->ports);
    monitor_free(&r->monitor);
    screen_tidy(&r->screen);
    if (r->has_loop)
        loop_free(&r->loop);
    out_file_close(&r->pidfile, true);
    log_file_close(&r->log);
    options_free(run_option_table, &r->options);
}

static int user_error(const struct err *e)
{
    fprintf(stderr, "lh run: %s\n", e->text);
    return STATUS_USER_ERROR;
}

static int told_to_end(void)
{
    pid_t sender;
    int number = signals_seen(&sender);
    fprintf(stderr, "lh run: ended by SIG%s", sigabbrev_np(number));
    if (sender)
        fprintf(stderr, " from process %d", (int)sender);
    fprintf(stderr, "\n");
    return STATUS_OK;
}

static int finish(struct run *r, const struct err *e)
{
    struct err failure = r->failed ? r->failed->failure : (struct err){0};
    bool was_told = r->ports.wants_to_quit || r->monitor.wants_to_quit;
    bool has_panicked = r->options.no_reboot && r->panic.has_panicked && !was_told;
    tear_down(r);
    if (signals_seen(NULL))
        return told_to_end();
    if (err_is_set(e))
        return user_error(e);
    if (err_is_set(&failure)) {
        fprintf(stderr, "lh run: %s\n", failure.text);
        return STATUS_INTERNAL;
    }
    if (!has_panicked)
        return STATUS_OK;
    fprintf(stderr, "lh run: the guest panicked\n");
    return STATUS_GUEST_PANIC;
}

static int run_machine(struct run *r)
{
    struct err e = {0};
    const struct run_options *o = &r->options;
    if (o->name)
        prctl(PR_SET_NAME, run_name(o->name));
    signal(SIGPIPE, SIG_IGN);
    screen_init(&r->screen, !o->log || o->log_file);
    r->has_loop = loop_init(&r->loop, &e);
    if (r->has_loop) {
        signals_install(&r->loop);
        signals_set_hurry(true);
    }
    if (r->has_loop && prepare(r, &e) && build(r, &e) && start(r, &e) && !is_told_to_end(r))
        r->turns ? serve_counted(r) : serve(r);
    int status = finish(r, &e);
    signals_remove();
    screen_free(&r->screen);
    return status;
}

int run_main(int argc, char **argv)
{
    struct run r = {0};
    struct err e = {0};
    bool is_parsed = options_parse(run_option_table, "kernel", argc, argv, &r.options, &e);
    bool is_done = is_parsed && run_help(&r.options, &e);
    if (!is_done && !err_is_set(&e))
        return run_machine(&r);
    options_free(run_option_table, &r.options);
    return is_done ? STATUS_OK : user_error(&e);
}
