// SPDX-License-Identifier: Apache-2.0
// Commands about the machine as a whole: its life, its parts and its map.
#include "vmm/monitor_command.h"
#include "jit/jit.h"
#include "dev/pci_bus.h"
#include "host/block/block.h"
#include "mem/place.h"

#include <stdio.h>
#include <string.h>

bool monitor_stop(struct monitor_call *c, struct err *e)
{
    pace_stop(c->monitor->pace);
    return true;
}

bool monitor_cont(struct monitor_call *c, struct err *e)
{
    pace_continue(c->monitor->pace);
    return true;
}

// The thread that runs the loop sees it next, and does what it does for the guest.
bool monitor_system_reset(struct monitor_call *c, struct err *e)
{
    c->machine->shutdown_request = 1 + (unsigned)SHUTDOWN_RESET;
    return true;
}

bool monitor_system_powerdown(struct monitor_call *c, struct err *e)
{
    machine_power_button(c->machine);
    return true;
}

bool monitor_quit(struct monitor_call *c, struct err *e)
{
    c->monitor->wants_to_quit = true;
    return true;
}

bool monitor_select_cpu(struct monitor_call *c, struct err *e)
{
    u64 n;
    if (!monitor_count(c->words.word[1], c->machine->n_cpus - 1, "a processor", &n, e))
        return false;
    *c->cpu = (unsigned)n;
    return true;
}

bool monitor_info_version(struct monitor_call *c, struct err *e)
{
    text_add(c->to, "lh (Longhouse) %s\n", LH_VERSION);
    return true;
}

bool monitor_info_status(struct monitor_call *c, struct err *e)
{
    const struct machine *m = c->machine;
    u64 ms = (clock_now(m->bus.clock) - m->bus.reset_ns) / 1000000, n = 0;
    for (unsigned i = 0; i < m->n_cpus; i++)
        n += m->cpus[i]->n_insns;
    text_add(c->to, "%s, %llu.%03llu s after reset",
             c->monitor->pace->is_stopped ? "stopped" : "running", (unsigned long long)(ms / 1000),
             (unsigned long long)(ms % 1000));
    if (m->cpus[0]->is_uncounted)
        text_add(c->to, ", instructions are not counted by the translator\n");
    else
        text_add(c->to, ", %llu instructions\n", (unsigned long long)n);
    return true;
}

bool monitor_info_cpus(struct monitor_call *c, struct err *e)
{
    const struct machine *m = c->machine;
    for (unsigned i = 0; i < m->n_cpus; i++) {
        const struct cpu_inspect *inspect = m->cpus[i]->ops->inspect;
        text_add(c->to, "%s cpu %u: ", i == *c->cpu ? "*" : " ", i);
        if (inspect)
            inspect->summary(m->cpus[i], c->to);
        else
            text_add(c->to, "run by KVM");
        text_add(c->to, "\n");
    }
    return true;
}

bool monitor_info_jit(struct monitor_call *c, struct err *e)
{
    if (!c->monitor->jit)
        return err_set(e, "nothing is translated here: -accel is not jit");
    jit_show(c->monitor->jit, c->to);
    return true;
}

bool monitor_info_interrupts(struct monitor_call *c, struct err *e)
{
    const struct machine *m = c->machine;
    for (unsigned i = 0; i < m->n_cpus; i++) {
        text_add(c->to, "cpu %u\n", i);
        if (m->cpus[i]->ops->inspect)
            m->cpus[i]->ops->inspect->interrupts(m->cpus[i], c->to);
    }
    mem_lock(&c->machine->mem);
    if (m->board->show_interrupts)
        m->board->show_interrupts(c->machine, c->to);
    mem_unlock(&c->machine->mem);
    return true;
}

static const char *size_text(u64 size, char *buf, size_t n)
{
    const char *unit = "KMGTPE";
    if (size < 1024 || size % 1024) {
        snprintf(buf, n, "%llu bytes", (unsigned long long)size);
        return buf;
    }
    for (size /= 1024; size >= 1024 && !(size % 1024) && unit[1]; unit++)
        size /= 1024;
    snprintf(buf, n, "%llu %ciB", (unsigned long long)size, *unit);
    return buf;
}

bool monitor_info_memory(struct monitor_call *c, struct err *e)
{
    struct mem_place places[MEM_MAX_PLACES];
    char size[32];
    mem_lock(&c->machine->mem);
    unsigned n = mem_places(&c->machine->mem, places);
    mem_unlock(&c->machine->mem);
    for (unsigned i = 0; i < n; i++) {
        const struct mem_place *p = &places[i];
        text_add(c->to, "%*s%016llx-%016llx %s, %s%s\n", 2 * (int)p->depth, "",
                 (unsigned long long)p->first, (unsigned long long)p->last, p->name,
                 size_text(p->last - p->first + 1, size, sizeof(size)),
                 p->is_direct ? ", read as memory" : "");
    }
    return true;
}

static const struct pci_device *pci_function_of(const struct machine *m, const struct device *d)
{
    for (unsigned i = 0; m->env.pci && i < PCI_N_DEVFN; i++)
        if (m->env.pci->functions[i] && &m->env.pci->functions[i]->d == d)
            return m->env.pci->functions[i];
    return NULL;
}

static void add_location(struct monitor_call *c, unsigned i)
{
    const struct machine *m = c->machine;
    const struct device *d = m->devices[i];
    if (m->regions[i])
        text_add(c->to, " at 0x%llx", (unsigned long long)m->regions[i]->base);
    const struct pci_device *p = pci_function_of(m, d);
    if (p)
        text_add(c->to, " in PCI slot %x.%x", p->devfn >> 3, p->devfn & 7);
    if (d->id)
        text_add(c->to, ", id %s", d->id);
}

bool monitor_info_devices(struct monitor_call *c, struct err *e)
{
    const struct machine *m = c->machine;
    for (unsigned i = 0; i < m->n_devices; i++) {
        text_add(c->to, "%s", m->devices[i]->type->name);
        add_location(c, i);
        text_add(c->to, "\n");
    }
    return true;
}

static void add_backend(struct monitor_call *c, const struct backend_view *b)
{
    char size[32];
    text_add(c->to, "%s: ", b->id);
    if (b->kind == BACKEND_DRIVE) {
        const struct block *block = b->object;
        text_add(c->to, "'%s', %s%s, ", block->name, size_text(block->size, size, sizeof(size)),
                 block->is_readonly ? ", read-only" : "");
    }
    text_add(c->to, "%s%s\n", b->user ? "on " : "on no device", b->user ? b->user : "");
}

static bool list_backends(struct monitor_call *c, enum backend_kind kind, const char *none)
{
    struct backend_view b;
    unsigned n = 0;
    for (size_t i = 0; backends_at(&c->machine->backends, i, &b); i++) {
        if (b.kind != kind)
            continue;
        add_backend(c, &b);
        n++;
    }
    if (!n)
        text_add(c->to, "%s\n", none);
    return true;
}

bool monitor_info_block(struct monitor_call *c, struct err *e)
{
    for (unsigned i = 0; i < MACHINE_N_FLASH; i++) {
        const struct machine_flash *f = &c->machine->flash[i];
        if (f->file)
            text_add(c->to, "flash %u: '%s'%s\n", i, f->file, f->is_readonly ? ", read-only" : "");
    }
    return list_backends(c, BACKEND_DRIVE, "no disks");
}

bool monitor_info_network(struct monitor_call *c, struct err *e)
{
    return list_backends(c, BACKEND_NETDEV, "no networks");
}
