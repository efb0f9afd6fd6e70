// SPDX-License-Identifier: Apache-2.0
#include "vmm/run_check.h"
#include "base/bug.h"
#include "base/option.h"
#include "dev/device.h"
#include "mach/machine.h"
#include "vmm/cpu_option.h"
#include "vmm/net_option.h"

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

static bool check_accel(const char *name, struct err *e)
{
    static const char *const names[] = {"interp", NULL};
    if (!name || !strcmp(name, names[0]))
        return true;
    err_set(e, "-accel: there is no '%s'", name);
    return err_suggest(e, name, names, "-accel help lists them");
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

// On a device that is never part of a machine, so that only names and values matter.
static bool check_properties(const struct device_type *t, char *rest, struct err *e)
{
    struct device_env env = {0};
    struct device *d = device_new(t, &env);
    bool ok = true;
    while (ok && rest) {
        char *name = option_next(&rest), *value = option_value(name);
        ok = !*name || !strcmp(name, "id") || device_set(d, name, value, e) ||
             err_context(e, "-device");
    }
    device_free(d);
    return ok;
}

static bool check_device(const char *text, struct err *e)
{
    char *name = strdup(text), *rest = name;
    BUG_ON(!name);
    option_next(&rest);
    const struct device_type *t = device_type_find(name);
    bool ok = t && t->is_pluggable ? check_properties(t, rest, e) : run_no_device(name, e);
    free(name);
    return ok;
}

static bool is_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    return !strncmp(text, word, n) && (!text[n] || text[n] == ',');
}

static bool check_serials(const struct option_list *serials, struct err *e)
{
    size_t n_stdio = 0;
    if (serials->n > MACHINE_N_SERIALS)
        return err_set(e, "-serial: %zu are given, the machine has %d serial ports", serials->n,
                       MACHINE_N_SERIALS);
    for (size_t i = 0; i < serials->n; i++)
        n_stdio += is_word(serials->texts[i], "stdio");
    return n_stdio < 2 ||
           err_set(e, "-serial: stdio serves one port; the others can be pty, file: or unix:");
}

// Whether this -drive is flash memory of bank 0: unit=0, or the first that names no unit.
static bool is_first_flash(const char *text)
{
    char *copy = strdup(text);
    bool is_flash = false, is_first = true;
    BUG_ON(!copy);
    for (char *rest = copy; rest;) {
        char *name = option_next(&rest), *value = option_value(name);
        is_flash |= !strcmp(name, "if") && !strcmp(value, "pflash");
        if (!strcmp(name, "unit"))
            is_first = !strcmp(value, "0");
    }
    free(copy);
    return is_flash && is_first;
}

static bool check_firmware(const struct run_options *o, struct err *e)
{
    for (size_t i = 0; o->bios && i < o->drives.n; i++)
        if (is_first_flash(o->drives.texts[i]))
            return err_set(e, "-bios '%s' and -drive '%s' are both flash bank 0; give one of them",
                           o->bios, o->drives.texts[i]);
    return true;
}

static bool check_files(const struct run_options *o, struct err *e)
{
    if (o->pidfile && o->log_file && !strcmp(o->pidfile, o->log_file))
        return err_set(e, "-pidfile and -D are both '%s'; give two files", o->pidfile);
    return true;
}

static bool check_nic(const char *text, struct err *e)
{
    struct nic_texts nic;
    bool ok = nic_option_expand(text, 0, &nic, e) && (!nic.device || check_device(nic.device, e));
    nic_texts_free(&nic);
    return ok || err_context(e, "-nic");
}

// What would be silently left out otherwise.
static bool check_cards(const struct run_options *o, struct err *e)
{
    if (o->netdevs.n && !device_type_find(NIC_MODEL))
        return err_set(e, "-netdev '%s': this program was built without network cards",
                       o->netdevs.texts[0]);
    if (o->drives.n && !device_type_find("virtio-blk-pci"))
        return err_set(e, "-drive '%s': this program was built without disks", o->drives.texts[0]);
    return true;
}

bool run_check(const struct run_options *o, struct err *e)
{
    for (size_t i = 0; i < o->devices.n; i++)
        if (!check_device(o->devices.texts[i], e))
            return false;
    for (size_t i = 0; i < o->nics.n; i++)
        if (!check_nic(o->nics.texts[i], e))
            return false;
    return check_board(o->machine, e) && check_accel(o->accel, e) && cpu_option_check(o->cpu, e) &&
           check_serials(&o->serials, e) && check_firmware(o, e) && check_files(o, e) &&
           check_cards(o, e);
}
