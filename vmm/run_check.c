// SPDX-License-Identifier: Apache-2.0
#include "vmm/run_check.h"
#include "base/bug.h"
#include "base/option.h"
#include "dev/device.h"
#include "mach/machine.h"
#include "vmm/accel_option.h"
#include "vmm/cpu_option.h"
#include "vmm/icount_option.h"

#include <stdlib.h>
#include <string.h>

#define MAX_NAMES 256

static bool check_board(const char *name, struct err *e)
{
    if (!name || board_find(name))
        return true;
    const char *names[MAX_NAMES] = {NULL};
    const struct board *b;
    for (size_t i = 0; (b = board_at(i)); i++) {
        BUG_ON(i + 1 >= MAX_NAMES);
        names[i] = b->name;
    }
    err_set(e, "-machine: no board '%s'", name);
    return err_suggest(e, name, names, "-machine help lists them");
}

// What the translator is asked for has to suit the machine.
static bool check_accel(const struct run_options *o, struct err *e)
{
    struct accel_option a;
    struct err unread = {0}; // of -smp, which is told later
    unsigned n = 1;
    if (!accel_option_parse(o->accel, &a, e))
        return false;
    bool is_many = o->smp && run_cpu_count(o->smp, &n, &unread) && n > 1;
    return !a.jit.check || !is_many ||
           err_set(e, "-accel jit,check=on compares one processor; leave out -smp %s", o->smp);
}

bool run_no_device(const char *name, struct err *e)
{
    const char *names[MAX_NAMES] = {NULL};
    const struct device_type *t;
    size_t n = 0;
    for (size_t i = 0; (t = device_type_at(i)); i++) {
        BUG_ON(n + 1 >= MAX_NAMES);
        if (t->is_pluggable)
            names[n++] = t->name;
    }
    err_set(e, "-device: no device '%s'", name);
    return err_suggest(e, name, names, "-device help lists them");
}

// The rest of the text is the machine's to understand.
static bool check_device(const char *text, struct err *e)
{
    char *name = strdup(text), *rest = name;
    BUG_ON(!name);
    option_next(&rest);
    const struct device_type *t = device_type_find(name);
    bool ok = (t && t->is_pluggable) || run_no_device(name, e);
    free(name);
    return ok;
}

static bool is_stdio(const char *text)
{
    size_t n = strlen("stdio");
    return !strncmp(text, "stdio", n) && (!text[n] || text[n] == ',');
}

static bool check_consoles(const struct run_options *o, struct err *e)
{
    size_t n_stdio = 0;
    if (o->serials.n > MACHINE_N_SERIALS)
        return err_set(e, "-serial: %zu are given, the machine has %d serial ports", o->serials.n,
                       MACHINE_N_SERIALS);
    for (size_t i = 0; i < o->serials.n; i++)
        n_stdio += is_stdio(o->serials.texts[i]);
    for (size_t i = 0; i < o->chardevs.n; i++)
        n_stdio += is_stdio(o->chardevs.texts[i]);
    for (size_t i = 0; i < o->monitors.n; i++)
        n_stdio += is_stdio(o->monitors.texts[i]);
    return n_stdio < 2 ||
           err_set(e, "stdio serves one -serial, -chardev or -monitor; the others can "
                      "be pty, a file or a unix socket");
}

static bool check_files(const struct run_options *o, struct err *e)
{
    if (o->pidfile && o->log_file && !strcmp(o->pidfile, o->log_file))
        return err_set(e, "-pidfile and -D are both '%s'; give two files", o->pidfile);
    return true;
}

bool run_check(const struct run_options *o, struct err *e)
{
    for (size_t i = 0; i < o->devices.n; i++)
        if (!check_device(o->devices.texts[i], e))
            return false;
    return check_board(o->machine, e) && check_accel(o, e) && cpu_option_check(o->cpu, e) &&
           check_consoles(o, e) && check_files(o, e) && icount_option_check(o, e);
}
