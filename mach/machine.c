// SPDX-License-Identifier: Apache-2.0
// What all boards have in common: the order in which a machine is made, reset and freed.
#include "mach/machine.h"

#include "base/bug.h"
#include "mach/plug.h"

#include <stdlib.h>
#include <string.h>

#define BOARD(name) extern const struct board name;
#include "mach/boards.def"
#undef BOARD

static const struct board *const boards[] = {
#define BOARD(name) &name,
#include "mach/boards.def"
#undef BOARD
};

const struct board *board_at(size_t index)
{
    return index < ARRAY_LEN(boards) ? boards[index] : NULL;
}

const struct board *board_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(boards); i++)
        if (!strcmp(boards[i]->name, name))
            return boards[i];
    return NULL;
}

static bool choose_board(struct machine *m, struct err *e)
{
    const char *name = m->config->board;
    m->board = name ? board_find(name) : boards[0];
    if (m->board)
        return true;
    char names[256] = "";
    for (size_t i = 0; i < ARRAY_LEN(boards); i++) {
        strncat(names, i ? ", " : "", sizeof(names) - strlen(names) - 1);
        strncat(names, boards[i]->name, sizeof(names) - strlen(names) - 1);
    }
    return err_set(e, "there is no board '%s'; there are: %s", name, names);
}

// The guest asked; device lock held.
static void shutdown(void *opaque, enum shutdown_reason reason)
{
    struct machine *m = opaque;
    m->shutdown_request = 1 + (unsigned)reason;
    if (m->config->shutdown)
        m->config->shutdown(m->config->shutdown_opaque, reason);
}

static void flush_cpus(void *opaque)
{
    struct machine *m = opaque;
    for (unsigned i = 0; i < m->n_cpus; i++)
        cpu_request(m->cpus[i], CPU_REQ_FLUSH);
}

static struct machine *new_machine(const struct machine_config *config)
{
    struct machine *m = calloc(1, sizeof(*m));
    BUG_ON(!m);
    m->config = config;
    mem_space_init(&m->mem, config->log);
    m->mem.changed = flush_cpus;
    m->mem.changed_opaque = m;
    m->bus = (struct cpu_bus){.mem = &m->mem, .clock = config->clock, .log = config->log};
    m->env = (struct device_env){.mem = &m->mem,
                                 .clock = config->clock,
                                 .log = config->log,
                                 .backends = &m->backends,
                                 .shutdown = shutdown,
                                 .opaque = m};
    return m;
}

static bool make_cpus(struct machine *m, unsigned n, struct err *e)
{
    for (unsigned i = 0; i < n; i++) {
        struct cpu *c = m->config->cpu_new(m->config->cpu_opaque, &m->bus, i, e);
        if (!c)
            return false;
        m->cpus[m->n_cpus++] = c;
    }
    return true;
}

static bool build(struct machine *m, struct err *e)
{
    if (!choose_board(m, e))
        return false;
    unsigned n_cpus = m->config->n_cpus ? m->config->n_cpus : 1;
    BUG_ON(m->board->max_cpus > MACHINE_MAX_CPUS);
    if (n_cpus > m->board->max_cpus)
        return err_set(e, "%u processors: the board %s has room for %u", n_cpus, m->board->name,
                       m->board->max_cpus);
    return plug_backends(m, e) && m->board->build(m, e) && make_cpus(m, n_cpus, e);
}

struct machine *machine_new(const struct machine_config *config, struct err *e)
{
    struct machine *m = new_machine(config);
    if (build(m, e)) {
        machine_reset(m);
        return m;
    }
    machine_free(m);
    return NULL;
}

void machine_reset(struct machine *m)
{
    mem_lock(&m->mem);
    for (unsigned i = 0; i < m->n_devices; i++)
        device_reset(m->devices[i]);
    if (m->board->reset)
        m->board->reset(m);
    mem_unlock(&m->mem);
    m->bus.reset_ns = clock_now(m->bus.clock);
    for (unsigned i = 0; i < m->n_cpus; i++)
        cpu_reset(m->cpus[i]);
    flush_cpus(m);
    m->shutdown_request = MACHINE_RUNS;
}

static void free_devices(struct machine *m)
{
    for (unsigned i = m->n_devices; i-- > 0;) {
        if (m->regions[i])
            mem_remove_region(&m->mem, m->regions[i]);
        device_free(m->devices[i]);
    }
}

void machine_free(struct machine *m)
{
    if (!m)
        return;
    // Devices may lower their wires while they go, so processors and what wires lead to go later.
    free_devices(m);
    for (unsigned i = m->n_cpus; i-- > 0;)
        m->cpus[i]->ops->free(m->cpus[i]);
    backends_free(&m->backends);
    for (unsigned i = 0; i < MACHINE_N_FLASH; i++)
        free(m->flash[i].file);
    if (m->board && m->board->free)
        m->board->free(m);
    mem_space_free(&m->mem);
    free(m);
}

void machine_power_button(struct machine *m)
{
    mem_lock(&m->mem);
    if (m->board->power_button)
        m->board->power_button(m);
    mem_unlock(&m->mem);
}

struct device *machine_add_device(struct machine *m, const struct device_type *type, struct err *e)
{
    if (m->n_devices == MACHINE_MAX_DEVICES) {
        err_set(e, "there are more than %d devices", MACHINE_MAX_DEVICES);
        return NULL;
    }
    struct device *d = device_new(type, &m->env);
    m->devices[m->n_devices++] = d;
    return d;
}

bool machine_map(struct machine *m, struct device *d, struct mem_region *r, gpa_t base,
                 struct err *e)
{
    if (!device_realize(d, e))
        return false;
    unsigned at = m->n_devices - 1;
    BUG_ON(m->devices[at] != d || m->regions[at]);
    r->base = base;
    mem_add_region(&m->mem, r);
    m->regions[at] = r;
    return true;
}
