// SPDX-License-Identifier: Apache-2.0
#include "vmm/run_config.h"
#include "vmm/cpu_option.h"
#include "vmm/icount_option.h"
#include "vmm/machine_option.h"

#define DEFAULT_RAM     (1ULL << 30)
#define DEFAULT_CONSOLE "console=ttyS0,115200"

static const char *const default_nics[] = {"user"};

bool run_config_has_default_nic(const struct run_options *o)
{
    struct icount_option i;
    bool is_counted = icount_option_parse(&i, o->icount, &(struct err){0}) && i.is_on;
    return !o->nics.n && !o->netdevs.n && !is_counted && LH_HAS_USER_NETWORK;
}

static void set_devices(struct machine_config *c, const struct run_options *o)
{
    c->devices = o->devices.texts;
    c->n_devices = o->devices.n;
    c->drives = o->drives.texts;
    c->n_drives = o->drives.n;
    c->netdevs = o->netdevs.texts;
    c->n_netdevs = o->netdevs.n;
    c->nics = o->nics.texts;
    c->n_nics = o->nics.n;
    if (run_config_has_default_nic(o)) {
        c->nics = default_nics;
        c->n_nics = ARRAY_LEN(default_nics);
    }
}

bool run_config_fill(struct machine_config *c, const struct run_options *o, struct err *e)
{
    struct machine_option machine;
    if (!machine_option_parse(o->machine, &machine, e))
        return false;
    *c = (struct machine_config){
        .board = machine.board,
        .n_cpus = 1,
        .ipi_delay_ns = machine.ipi_delay_ns,
        .ram_size = DEFAULT_RAM,
        .kernel = o->kernel,
        .initrd = o->initrd,
        .bios = o->bios,
        .append = !o->append && o->kernel ? DEFAULT_CONSOLE : o->append,
        .cpu_new = cpu_option_new,
        .cpu_opaque = (void *)(uintptr_t)o->cpu,
    };
    set_devices(c, o);
    return (!o->memory || run_memory_size(o->memory, &c->ram_size, e)) &&
           (!o->smp || run_cpu_count(o->smp, &c->n_cpus, e));
}
