// SPDX-License-Identifier: Apache-2.0
#include "mach/plug.h"

#include "base/bug.h"
#include "base/option.h"
#include "host/block/block.h"
#include "host/net/netdev.h"
#include "mach/drive_option.h"
#include "mach/nic_option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *text)
{
    char *c = strdup(text);
    BUG_ON(!c);
    return c;
}

// The id of a drive that has none: "drive3" for the fourth -drive.
static void drive_id(char id[DRIVE_ID_MAX + 1], const struct drive_option *d, size_t index)
{
    if (d->id)
        snprintf(id, DRIVE_ID_MAX + 1, "%s", d->id);
    else
        snprintf(id, DRIVE_ID_MAX + 1, "drive%zu", index);
}

static bool add_flash(struct machine *m, const struct drive_option *d, struct err *e)
{
    unsigned unit = d->unit < 0 ? (m->flash[0].file ? 1 : 0) : (unsigned)d->unit;
    if (unit >= MACHINE_N_FLASH)
        return err_set(e, "unit=%u: there are %d flash banks", unit, MACHINE_N_FLASH);
    if (m->flash[unit].file)
        return err_set(e, "flash %u has the file '%s' already", unit, m->flash[unit].file);
    m->flash[unit] = (struct machine_flash){copy(d->file), d->is_readonly};
    return true;
}

static bool add_disk(struct machine *m, const struct drive_option *d, size_t index, struct err *e)
{
    char id[DRIVE_ID_MAX + 1];
    drive_id(id, d, index);
    struct block *b = block_open_raw(d->file, d->is_readonly, e);
    if (b && backends_add_drive(&m->backends, id, b, e))
        return true;
    block_free(b);
    return false;
}

static bool add_drive(struct machine *m, size_t index, struct err *e)
{
    const char *text = m->config->drives[index];
    char *words = copy(text);
    struct drive_option d;
    bool ok = drive_option_parse(&d, words, e) &&
              (d.interface == DRIVE_PFLASH ? add_flash(m, &d, e) : add_disk(m, &d, index, e));
    free(words);
    return ok || err_context(e, "-drive %s", text);
}

static bool add_netdev(struct machine *m, const char *text, struct err *e)
{
    char *id;
    struct netdev *n = netdev_open(text, &id, e);
    bool ok = n && backends_add_netdev(&m->backends, id, n, e);
    if (!ok)
        netdev_free(n);
    free(id);
    return ok;
}

static bool add_nic(struct machine *m, size_t index, struct err *e)
{
    struct nic_option n;
    const char *text = m->config->nics[index];
    bool ok = nic_option_parse(&n, text, index, e) && (n.is_none || add_netdev(m, n.netdev, e));
    nic_option_free(&n);
    return ok || err_context(e, "-nic %s", text);
}

bool plug_backends(struct machine *m, struct err *e)
{
    const struct machine_config *c = m->config;
    for (size_t i = 0; i < c->n_chardevs; i++)
        if (!backends_add_chardev(&m->backends, c->chardevs[i].id, c->chardevs[i].console, e))
            return err_context(e, "-chardev");
    for (size_t i = 0; i < c->n_drives; i++)
        if (!add_drive(m, i, e))
            return false;
    for (size_t i = 0; i < c->n_netdevs; i++)
        if (!add_netdev(m, c->netdevs[i], e))
            return err_context(e, "-netdev %s", c->netdevs[i]);
    for (size_t i = 0; i < c->n_nics; i++)
        if (!add_nic(m, i, e))
            return false;
    return true;
}

static bool set_boot_index(struct machine *m, struct device *d, const char *value, struct err *e)
{
    char *end;
    u64 index = strtoull(value, &end, 10);
    if (end == value || *end || value[0] == '-')
        return err_set(e, "bootindex=%s: not a number", value);
    unsigned at = m->n_boot_order;
    for (unsigned i = 0; i < at; i++)
        if (m->boot_order[i].index == index)
            return err_set(e, "bootindex=%s: another device has it", value);
    for (; at > 0 && m->boot_order[at - 1].index > index; at--)
        m->boot_order[at] = m->boot_order[at - 1];
    m->boot_order[at] = (struct machine_boot_device){index, d};
    m->n_boot_order++;
    return true;
}

static bool set_property(struct machine *m, struct device *d, const char *name, const char *value,
                         struct err *e)
{
    if (!strcmp(name, "bootindex"))
        return set_boot_index(m, d, value, e);
    if (strcmp(name, "id"))
        return device_set(d, name, value, e);
    for (unsigned i = 0; i < m->n_devices; i++)
        if (m->devices[i]->id && !strcmp(m->devices[i]->id, value))
            return err_set(e, "id=%s: another device has it", value);
    free(d->id);
    d->id = copy(value);
    return true;
}

static bool no_such_device(const char *name, struct err *e)
{
    const struct device_type *t;
    char names[256] = "";
    size_t n = 0;
    for (size_t i = 0; (t = device_type_at(i)) && n < sizeof(names); i++)
        if (t->is_pluggable)
            n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", n ? ", " : "", t->name);
    return err_set(e, "there is no device '%s'; there are: %s", name, names);
}

// `words` is "NAME[,PROPERTY=VALUE]..." and is changed.
static bool make_device(struct machine *m, char *words, struct err *e)
{
    char *rest = words, *name = option_next(&rest);
    const struct device_type *t = device_type_find(name);
    if (!t || !t->is_pluggable)
        return no_such_device(name, e);
    struct device *d = machine_add_device(m, t, e);
    if (!d)
        return false;
    while (rest) {
        char *option = option_next(&rest), *value = option_value(option);
        if (!set_property(m, d, option, value, e))
            return false;
    }
    return device_realize(d, e);
}

static bool plug_device(struct machine *m, const char *text, struct err *e)
{
    char *words = copy(text);
    bool ok = make_device(m, words, e);
    free(words);
    return ok;
}

// The disk that a -drive with if=virtio stands for.
static bool plug_drive(struct machine *m, size_t index, struct err *e)
{
    char *words = copy(m->config->drives[index]);
    struct drive_option d;
    BUG_ON(!drive_option_parse(&d, words, e)); // plug_backends has seen it
    char id[DRIVE_ID_MAX + 1], device[DRIVE_ID_MAX + 32];
    drive_id(id, &d, index);
    bool is_wanted = d.interface == DRIVE_VIRTIO;
    free(words);
    snprintf(device, sizeof(device), "virtio-blk-pci,drive=%s", id);
    return !is_wanted || plug_device(m, device, e) ||
           err_context(e, "-drive %s", m->config->drives[index]);
}

// The card that a -nic stands for.
static bool plug_nic(struct machine *m, size_t index, struct err *e)
{
    struct nic_option n;
    BUG_ON(!nic_option_parse(&n, m->config->nics[index], index, e)); // as above
    bool ok = n.is_none || plug_device(m, n.device, e);
    nic_option_free(&n);
    return ok || err_context(e, "-nic %s", m->config->nics[index]);
}

bool plug_devices(struct machine *m, struct err *e)
{
    const struct machine_config *c = m->config;
    for (size_t i = 0; i < c->n_devices; i++)
        if (!plug_device(m, c->devices[i], e))
            return err_context(e, "-device %s", c->devices[i]);
    for (size_t i = 0; i < c->n_drives; i++)
        if (!plug_drive(m, i, e))
            return false;
    for (size_t i = 0; i < c->n_nics; i++)
        if (!plug_nic(m, i, e))
            return false;
    return true;
}
