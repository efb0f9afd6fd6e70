// SPDX-License-Identifier: Apache-2.0
#include "vmm/run_config.h"
#include "base/bug.h"
#include "vmm/cpu_option.h"
#include "vmm/net_option.h"

#include <stdlib.h>

#define DEFAULT_RAM     (1ULL << 30)
#define DEFAULT_CONSOLE "console=ttyS0,115200"

bool run_config_has_default_nic(const struct run_options *o)
{
    const struct device_type *card = device_type_find(NIC_MODEL);
    return !o->nics.n && !o->netdevs.n && LH_HAS_USER_NETWORK && card && card->is_pluggable;
}

static const char **append_text(const char **texts, size_t *n, const char *text)
{
    texts = realloc(texts, (*n + 1) * sizeof(*texts));
    BUG_ON(!texts);
    texts[(*n)++] = text;
    return texts;
}

static void own(struct run_config *c, char *text)
{
    c->owned = realloc(c->owned, (c->n_owned + 1) * sizeof(*c->owned));
    BUG_ON(!c->owned);
    c->owned[c->n_owned++] = text;
}

static void add_netdev(struct run_config *c, const char *text)
{
    c->netdevs = append_text(c->netdevs, &c->machine.n_netdevs, text);
    c->machine.netdevs = c->netdevs;
}

static void add_device(struct run_config *c, const char *text)
{
    c->devices = append_text(c->devices, &c->machine.n_devices, text);
    c->machine.devices = c->devices;
}

static bool add_nic(struct run_config *c, const char *text, unsigned index, struct err *e)
{
    struct nic_texts nic;
    if (!nic_option_expand(text, index, &nic, e))
        return false;
    if (!nic.netdev)
        return true;
    own(c, nic.netdev);
    own(c, nic.device);
    add_netdev(c, nic.netdev);
    add_device(c, nic.device);
    return true;
}

// Cards of -nic come first, so that the first card of a guest is the one it had without -device.
static bool add_devices(struct run_config *c, const struct run_options *o, struct err *e)
{
    for (unsigned i = 0; i < o->nics.n; i++)
        if (!add_nic(c, o->nics.texts[i], i, e))
            return false;
    if (run_config_has_default_nic(o) && !add_nic(c, "user", 0, e))
        return false;
    for (size_t i = 0; i < o->netdevs.n; i++)
        add_netdev(c, o->netdevs.texts[i]);
    for (size_t i = 0; i < o->devices.n; i++)
        add_device(c, o->devices.texts[i]);
    return true;
}

bool run_config_fill(struct run_config *c, const struct run_options *o, struct err *e)
{
    struct machine_config *m = &c->machine;
    *c = (struct run_config){0};
    *m = (struct machine_config){
        .board = o->machine,
        .n_cpus = 1,
        .ram_size = DEFAULT_RAM,
        .kernel = o->kernel,
        .initrd = o->initrd,
        .bios = o->bios,
        .append = !o->append && o->kernel ? DEFAULT_CONSOLE : o->append,
        .drives = o->drives.texts,
        .n_drives = o->drives.n,
        .cpu_new = cpu_option_new,
        .cpu_opaque = (void *)(uintptr_t)o->cpu,
    };
    return (!o->memory || run_memory_size(o->memory, &m->ram_size, e)) &&
           (!o->smp || run_cpu_count(o->smp, &m->n_cpus, e)) && add_devices(c, o, e);
}

void run_config_free(struct run_config *c)
{
    for (size_t i = 0; i < c->n_owned; i++)
        free(c->owned[i]);
    free(c->owned);
    free(c->netdevs);
    free(c->devices);
    *c = (struct run_config){0};
}
