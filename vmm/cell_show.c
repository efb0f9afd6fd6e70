// SPDX-License-Identifier: Apache-2.0
// The commands that only look.
#include "base/bits.h"
#include "vmm/cell.h"
#include "vmm/cell_picture.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MIB (1ULL << 20)

static const char *const exit_names[] = {
#define EXIT(name, text) #name,
#include "include/longhouse/exits.def"
#undef EXIT
};

static bool identify(struct cell_job *j, struct control_info *info)
{
    cell_client_begin(j->c);
    if (!cell_client_call(j->c, CONTROL_IDENTIFY, j->e))
        return false;
    memcpy(info, j->c->reply.data, sizeof(*info));
    return true;
}

bool cell_info(struct cell_job *j)
{
    struct control_info i;
    if (!identify(j, &i))
        return false;
    fprintf(j->out,
            j->o->json ? "{\"processors\": %u, \"pool\": %llu, \"free\": %llu, \"tables\": %u, "
                         "\"tables_free\": %u, \"resident\": %llu, \"build\": \"%016llx\"}\n"
                       : "processors %u, pool %llu, free %llu, tables %u, free %u, resident %llu, "
                         "build %016llx\n",
            i.n_cpus, (unsigned long long)i.pool_size, (unsigned long long)i.pool_free,
            i.tables_total, i.tables_free, (unsigned long long)i.image_size,
            (unsigned long long)i.build);
    return true;
}

static void print_cpus(FILE *to, u32 cpus)
{
    const char *comma = "";
    for (u32 i = 0; i < CONTROL_MAX_CPUS; i++)
        if (cpus >> i & 1) {
            fprintf(to, "%s%u", comma, i);
            comma = ",";
        }
}

static u64 memory_of(const struct control_cell *c)
{
    u64 size = 0;
    for (u32 i = 0; i < c->n_regions; i++)
        size += c->regions[i].size;
    return size;
}

static void print_row(FILE *to, u32 id, const struct control_cell *c)
{
    fprintf(to, "%-3u %-16s %-8s %6llu M  starts %-5llu cpus ", id, c->name,
            cell_state_name(c->state), (unsigned long long)(memory_of(c) / MIB),
            (unsigned long long)c->starts);
    print_cpus(to, c->cpus);
    fprintf(to, "%s%s\n", *c->cause ? "  " : "", c->cause);
}

static void print_json(FILE *to, u32 id, const struct control_cell *c, bool is_first)
{
    fprintf(to,
            "%s\n {\"id\": %u, \"name\": \"%s\", \"state\": \"%s\", \"memory\": %llu, "
            "\"starts\": %llu, \"cpus\": [",
            is_first ? "" : ",", id, c->name, cell_state_name(c->state),
            (unsigned long long)memory_of(c), (unsigned long long)c->starts);
    print_cpus(to, c->cpus);
    fprintf(to, "], \"cause\": \"%s\"}", c->cause);
}

bool cell_list(struct cell_job *j)
{
    static struct control_cell cells[CONTROL_MAX_CELLS];
    struct control_info info;
    bool is_first = true;
    if (!identify(j, &info))
        return false;
    for (u32 i = 0; i < CONTROL_MAX_CELLS; i++) {
        struct err none = {0};
        if (!cell_client_info(j->c, i, &cells[i], &none))
            cells[i].state = CONTROL_CELL_NONE;
    }
    if (j->o->svg)
        return cell_picture(j, &info, cells);
    if (j->o->json)
        fprintf(j->out, "[");
    for (u32 i = 0; i < CONTROL_MAX_CELLS; i++) {
        if (cells[i].state == CONTROL_CELL_NONE)
            continue;
        if (j->o->json)
            print_json(j->out, i, &cells[i], is_first);
        else
            print_row(j->out, i, &cells[i]);
        is_first = false;
    }
    fprintf(j->out, j->o->json ? "\n]\n" : "");
    return true;
}

struct stats_row {
    bool is_there;
    struct control_stats s;
};

static bool read_stats(struct cell_job *j, struct stats_row rows[CONTROL_MAX_CPUS])
{
    for (u32 i = 0; i < CONTROL_MAX_CPUS; i++) {
        struct err none = {0};
        cell_client_begin(j->c);
        j->c->reply.args[0] = i;
        rows[i].is_there = cell_client_call(j->c, CONTROL_STATS, &none);
        memcpy(&rows[i].s, j->c->reply.data, sizeof(rows[i].s));
    }
    return true;
}

static void print_stats(FILE *to, const struct stats_row rows[CONTROL_MAX_CPUS])
{
    fprintf(to, "%-11s", "exits");
    for (u32 i = 0; i < CONTROL_MAX_CPUS; i++)
        if (rows[i].is_there)
            fprintf(to, "  cpu%u/cell%u", i, rows[i].s.cell);
    for (size_t k = 0; k < ARRAY_LEN(exit_names); k++) {
        fprintf(to, "\n%-11s", exit_names[k]);
        for (u32 i = 0; i < CONTROL_MAX_CPUS; i++)
            if (rows[i].is_there)
                fprintf(to, " %11llu", (unsigned long long)rows[i].s.counters[k]);
    }
    fprintf(to, "\n");
}

static void print_stats_json(FILE *to, const struct stats_row rows[CONTROL_MAX_CPUS])
{
    const char *comma = "";
    fprintf(to, "[");
    for (u32 i = 0; i < CONTROL_MAX_CPUS; i++) {
        if (!rows[i].is_there)
            continue;
        fprintf(to, "%s\n {\"cpu\": %u, \"cell\": %u", comma, i, rows[i].s.cell);
        for (size_t k = 0; k < ARRAY_LEN(exit_names); k++)
            fprintf(to, ", \"%s\": %llu", exit_names[k], (unsigned long long)rows[i].s.counters[k]);
        fprintf(to, "}");
        comma = ",";
    }
    fprintf(to, "\n]\n");
}

static bool print_unknown(struct cell_job *j)
{
    const struct control_unknown *u = (const void *)j->c->reply.data;
    cell_client_begin(j->c);
    if (!cell_client_call(j->c, CONTROL_UNKNOWN, j->e))
        return false;
    for (u32 i = 0; i < j->c->reply.size / sizeof(*u); i++)
        if (u[i].count)
            fprintf(j->out, "%12llx %llu\n", (unsigned long long)u[i].address,
                    (unsigned long long)u[i].count);
    return true;
}

bool cell_stats(struct cell_job *j)
{
    static struct stats_row rows[CONTROL_MAX_CPUS];
    if (j->o->unknown)
        return print_unknown(j);
    do {
        read_stats(j, rows);
        if (j->o->follow)
            fprintf(j->out, "\033[H\033[2J");
        (j->o->json ? print_stats_json : print_stats)(j->out, rows);
        fflush(j->out);
    } while (j->o->follow && !sleep(1));
    return true;
}

bool cell_log(struct cell_job *j)
{
    struct control_request *r = &j->c->reply;
    u64 position = 0;
    do {
        cell_client_begin(j->c);
        r->args[0] = position;
        if (!cell_client_call(j->c, CONTROL_LOG_READ, j->e))
            return false;
        fwrite(r->data, 1, r->size, j->out);
        position = r->args[0];
    } while (r->size == sizeof(r->data));
    return true;
}

bool cell_trace(struct cell_job *j)
{
    const struct control_event *e = (const void *)j->c->reply.data;
    if (!j->o->target)
        return err_set(j->e, "of which processor? name its number");
    char *end;
    u64 cpu = strtoul(j->o->target, &end, 10);
    if (*end || end == j->o->target)
        return err_set(j->e, "'%s' is not the number of a processor", j->o->target);
    cell_client_begin(j->c);
    j->c->reply.args[0] = cpu;
    if (!cell_client_call(j->c, CONTROL_TRACE, j->e))
        return false;
    for (u32 i = 0; i < j->c->reply.size / sizeof(*e); i++)
        fprintf(j->out, "%14llu %-11s %08x\n", (unsigned long long)e[i].time,
                e[i].cause < ARRAY_LEN(exit_names) ? exit_names[e[i].cause] : "?", e[i].info);
    return true;
}

bool cell_doctor(struct cell_job *j)
{
    struct control_info i;
    if (!identify(j, &i))
        return false;
    fprintf(j->out, "ok  hypervisor     build %016llx, %u processors\n",
            (unsigned long long)i.build, i.n_cpus);
    fprintf(j->out, "%s  pool           %llu MiB free of %llu\n", i.pool_free ? "ok" : "--",
            (unsigned long long)(i.pool_free / MIB), (unsigned long long)(i.pool_size / MIB));
    fprintf(j->out, "%s  processors     %s\n", i.n_cpus > 1 ? "ok" : "--",
            i.n_cpus > 1 ? "more than one: cells can have some" : "one, which stays here");
    bool has_uio = !access("/sys/bus/pci/drivers/uio_pci_generic", F_OK);
    fprintf(j->out, "%s  interrupts     %s\n", has_uio ? "ok" : "--",
            has_uio ? "uio_pci_generic" : "modprobe uio_pci_generic, or 'serve' has to poll");
    fprintf(j->out, "%s  hotplug        /sys/devices/system/cpu/cpu1/online\n",
            access("/sys/devices/system/cpu/cpu1/online", W_OK) ? "--" : "ok");
    return true;
}
