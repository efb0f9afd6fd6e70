// SPDX-License-Identifier: Apache-2.0
// The commands of the root cell. A request is copied before it is looked at; the copy is what is
// checked and used. Work that grows with the size of a cell is done in slices, one for each ring.
#include "base/bits.h"
#include "hv/arch.h"
#include "hv/build.h"
#include "hv/cell.h"
#include "hv/console.h"
#include "hv/cpu.h"
#include "hv/log.h"
#include "hv/manage.h"
#include "hv/manage_state.h"
#include "hv/pool.h"
#include "hv/serve.h"
#include "hv/sync.h"
#include "hv/text.h"
#include "hv/vpci.h"

#define SCRUB_SLICE 0x10000ULL

struct command {
    struct cpu *cpu;
    struct manage *m;
    struct control_request *q; // our copy
    struct cell *cell;
    struct why why;
};

static s32 identify(struct command *c)
{
    struct hv *hv = c->cpu->hv;
    struct control_info info = {.n_cells_max = HV_MAX_CELLS - 1, .gid_bits = hv->gid_bits};
    for (u32 i = 0; i < HV_MAX_CPUS; i++)
        if (hv->cpu[i] && load_u32(&hv->cpu[i]->state) != CPU_ABSENT)
            info.cpus_present |= 1u << i, info.n_cpus++;
    info.pool_base = hv->pool_base;
    info.pool_size = hv->pool_size;
    info.pool_free = pool_free_size(hv);
    info.image_size = hv->image_size;
    info.tables_total = hv->n_tables;
    info.tables_free = hv->n_tables_free;
    info.build = build_fingerprint;
    memcpy(c->q->data, &info, sizeof(info));
    c->q->size = sizeof(info);
    return 0;
}

static s32 close_window(struct command *c)
{
    if (!c->m->shown.size)
        return 0;
    c->m->shown = (struct region){0};
    return manage_show(c->cpu) ? 0 : cell_refuse(&c->why, REFUSE_TIMEOUT, "a flush failed");
}

static s32 create(struct command *c)
{
    s32 id = cell_create(c->cpu, c->q->data, c->q->size, &c->why);
    if (id < 0)
        return id;
    c->q->cell = (u32)id;
    c->q->generation = c->cpu->hv->cell[id].generation;
    c->m->scrubbed = 0;
    c->m->is_busy = true;
    return 0;
}

// Memory may not be looked at, filled or run while a device may still write it. To be asked again;
// who does not let go in time loses sight of the memory.
static s32 settle(struct command *c)
{
    struct cell *cell = c->cell;
    if (vpci_quiesce(cell))
        return cell_refuse(&c->why, REFUSE_AGAIN, "a device of cell '%s' is being reset",
                           cell->name);
    bool is_stuck = false;
    for (u32 i = 0; i < CONTROL_MAX_SLOTS; i++) {
        is_stuck = is_stuck || cell->pci.slot[i].n_forced;
        cell->pci.slot[i].n_forced = 0;
    }
    if (is_stuck && !serve_close(c->cpu, cell))
        return cell_refuse(&c->why, REFUSE_TIMEOUT, "a flush failed");
    return 0;
}

static s32 start_again(struct command *c)
{
    s32 error = settle(c);
    return error ? error : cell_start(c->cpu, c->cell, &c->why);
}

static s32 start(struct command *c)
{
    struct cell *cell = c->cell;
    u64 hpa, left;
    if (cell_state(cell) == CONTROL_CELL_RUNNING)
        return cell_refuse(&c->why, REFUSE_BUSY, "cell '%s' runs already", cell->name);
    if (c->q->args[0] != ~0ULL) {
        if (c->q->args[0] % 4 || !cell_find(cell, c->q->args[0], &hpa, &left))
            return cell_refuse(&c->why, REFUSE_INVAL, "entry %lx is not in the cell's memory",
                               c->q->args[0]);
        cell->entry = c->q->args[0];
        memcpy(cell->args, c->q->args + 1, sizeof(cell->args));
    }
    return start_again(c);
}

// Whoever serves the cell's devices is told to let go of the queues.
static s32 stop(struct command *c)
{
    s32 error = cell_stop(c->cpu, c->cell, &c->why);
    if (!error)
        vpci_quiesce(c->cell);
    return error;
}

static s32 reset(struct command *c)
{
    s32 error = stop(c);
    return error ? error : start_again(c);
}

static s32 destroy(struct command *c)
{
    s32 error = stop(c);
    if (!error && c->m->shown.size && c->m->shown_cell == c->cell->id)
        error = close_window(c);
    if (!error && !serve_close(c->cpu, c->cell))
        error = cell_refuse(&c->why, REFUSE_TIMEOUT, "a flush failed");
    if (error)
        return error;
    c->m->scrubbed = 0;
    c->m->is_busy = true;
    return 0;
}

static s32 ask_shutdown(struct command *c)
{
    return cell_ask_shutdown(c->cpu, c->cell, &c->why);
}

static s32 info(struct command *c)
{
    struct cell *cell = c->cell;
    struct control_cell out = {.state = cell_state(cell), .generation = cell->generation};
    memcpy(out.name, cell->name, sizeof(out.name));
    memcpy(out.cause, cell->cause, sizeof(out.cause));
    out.cpus = cell->cpus;
    out.n_regions = cell->n_regions;
    out.starts = cell->starts;
    out.console_bytes = cell->console.out_head;
    out.fault_era = cell->fault_era;
    out.fault_address = cell->fault_address;
    for (u32 i = 0; i < cell->n_regions; i++)
        out.regions[i] = (struct control_region){cell->region[i].gpa, cell->region[i].hpa,
                                                 cell->region[i].size, cell->region[i].tag};
    c->q->args[0] = cell->wants_restart;
    memcpy(c->q->data, &out, sizeof(out));
    c->q->size = sizeof(out);
    return 0;
}

static struct cpu *named_cpu(struct command *c)
{
    u64 id = c->q->args[0];
    struct cpu *cpu = id < HV_MAX_CPUS ? c->cpu->hv->cpu[id] : NULL;
    if (!cpu)
        cell_refuse(&c->why, REFUSE_NOENT, "processor %lu: this machine has none", id);
    return cpu;
}

static s32 stats(struct command *c)
{
    struct control_stats out = {0};
    struct cpu *cpu = named_cpu(c);
    if (!cpu)
        return REFUSE_NOENT;
    struct vcpu *v = __atomic_load_n(&cpu->vcpu, __ATOMIC_ACQUIRE);
    out.cell = v ? v->cell->id : 0;
    out.state = load_u32(&cpu->state);
    for (u32 i = 0; i < N_EXITS; i++) {
        out.counters[i] = __atomic_load_n(&cpu->n[i], __ATOMIC_RELAXED);
        out.ticks[i] = __atomic_load_n(&cpu->ticks[i], __ATOMIC_RELAXED);
    }
    memcpy(c->q->data, &out, sizeof(out));
    c->q->size = sizeof(out);
    return 0;
}

static s32 trace(struct command *c)
{
    struct cpu *cpu = named_cpu(c);
    if (!cpu)
        return REFUSE_NOENT;
    u64 head = __atomic_load_n(&cpu->n_events, __ATOMIC_RELAXED), n = 0;
    u64 room = CONTROL_DATA_SIZE / sizeof(struct control_event);
    u64 first = head > room ? head - room : 0;
    for (u64 i = first; i < head; i++, n++)
        memcpy(c->q->data + n * sizeof(struct control_event), &cpu->events[i % HV_N_EVENTS],
               sizeof(struct control_event));
    c->q->size = (u32)(n * sizeof(struct control_event));
    return 0;
}

static s32 window(struct command *c)
{
    struct region *shown = &c->m->shown;
    u64 hpa, left;
    if (c->q->args[0] == ~0ULL)
        return close_window(c);
    if (!c->cell->id)
        return cell_refuse(&c->why, REFUSE_INVAL, "the root cell's memory is there anyway");
    if (c->q->args[0] % HV_BLOCK || !cell_find(c->cell, c->q->args[0], &hpa, &left))
        return cell_refuse(&c->why, REFUSE_INVAL, "address %lx is no block of the cell's memory",
                           c->q->args[0]);
    s32 error = cell_state(c->cell) == CONTROL_CELL_RUNNING ? 0 : settle(c);
    if (error)
        return error;
    *shown = (struct region){c->q->args[0], hpa,
                             left < CONTROL_WINDOW_SIZE ? left : CONTROL_WINDOW_SIZE};
    c->m->shown_cell = c->cell->id;
    c->q->args[1] = shown->size;
    return manage_show(c->cpu) ? 0 : cell_refuse(&c->why, REFUSE_TIMEOUT, "a flush failed");
}

static s32 read_console(struct command *c)
{
    c->q->size = console_read(c->cell, &c->q->args[0], c->q->data, CONTROL_DATA_SIZE);
    return 0;
}

static s32 write_console(struct command *c)
{
    c->q->args[0] = console_write(c->cell, c->q->data, c->q->size, c->q->args[1]);
    return 0;
}

static s32 read_log(struct command *c)
{
    c->q->size = log_read(c->cpu->hv, &c->q->args[0], (char *)c->q->data, CONTROL_DATA_SIZE);
    return 0;
}

static s32 registers(struct command *c)
{
    if (c->q->args[0] >= c->cell->n_vcpus)
        return cell_refuse(&c->why, REFUSE_NOENT, "cell '%s' has %u processors", c->cell->name,
                           c->cell->n_vcpus);
    if (cell_state(c->cell) == CONTROL_CELL_RUNNING)
        return cell_refuse(&c->why, REFUSE_BUSY, "cell '%s' runs", c->cell->name);
    const struct vcpu *v = &c->cell->vcpu[c->q->args[0]];
    memcpy(c->q->data, &v->registers, sizeof(v->registers));
    c->q->size = sizeof(v->registers);
    return 0;
}

static s32 unknown(struct command *c)
{
    memcpy(c->q->data, c->cpu->hv->unknown, sizeof(c->cpu->hv->unknown));
    c->q->size = sizeof(c->cpu->hv->unknown);
    return 0;
}

static s32 serve(struct command *c)
{
    u64 where[HV_N_REGIONS];
    if (!c->q->args[0])
        return serve_close(c->cpu, c->cell)
                   ? 0
                   : cell_refuse(&c->why, REFUSE_TIMEOUT, "a flush failed");
    s32 error = serve_open(c->cpu, c->cell, where, &c->why);
    c->q->size = error ? 0 : c->cell->n_regions * sizeof(where[0]);
    memcpy(c->q->data, where, c->q->size);
    return error;
}

static s32 virtio_set(struct command *c)
{
    struct control_virtio t;
    if (c->q->size != sizeof(t))
        return cell_refuse(&c->why, REFUSE_INVAL, "%u bytes are not what a device offers",
                           c->q->size);
    memcpy(&t, c->q->data, sizeof(t));
    return serve_set(c->cell, c->q->args[0], &t, &c->why);
}

static s32 virtio_get(struct command *c)
{
    struct control_virtio_state out;
    s32 error = serve_get(c->cell, c->q->args[0], &out, &c->why);
    c->q->size = error ? 0 : sizeof(out);
    memcpy(c->q->data, &out, c->q->size);
    return error;
}

static s32 virtio_let_go(struct command *c)
{
    return serve_let_go(c->cell, c->q->args[0], c->q->args[1], &c->why);
}

static s32 virtio_broken(struct command *c)
{
    return serve_broken(c->cell, c->q->args[0], &c->why);
}

enum target { NO_CELL, ANY_CELL, NOT_ROOT };

static const struct {
    s32 (*run)(struct command *c);
    enum target target;
} commands[] = {
    [CONTROL_IDENTIFY] = {identify, NO_CELL},
    [CONTROL_CREATE] = {create, NO_CELL},
    [CONTROL_START] = {start, NOT_ROOT},
    [CONTROL_STOP] = {stop, NOT_ROOT},
    [CONTROL_RESET] = {reset, NOT_ROOT},
    [CONTROL_DESTROY] = {destroy, NOT_ROOT},
    [CONTROL_SHUTDOWN] = {ask_shutdown, NOT_ROOT},
    [CONTROL_INFO] = {info, ANY_CELL},
    [CONTROL_STATS] = {stats, NO_CELL},
    [CONTROL_WINDOW] = {window, ANY_CELL},
    [CONTROL_CONSOLE_READ] = {read_console, NOT_ROOT},
    [CONTROL_CONSOLE_WRITE] = {write_console, NOT_ROOT},
    [CONTROL_LOG_READ] = {read_log, NO_CELL},
    [CONTROL_TRACE] = {trace, NO_CELL},
    [CONTROL_REGISTERS] = {registers, NOT_ROOT},
    [CONTROL_UNKNOWN] = {unknown, NO_CELL},
    [CONTROL_SERVE] = {serve, NOT_ROOT},
    [CONTROL_VIRTIO_SET] = {virtio_set, NOT_ROOT},
    [CONTROL_VIRTIO_GET] = {virtio_get, NOT_ROOT},
    [CONTROL_VIRTIO_LET_GO] = {virtio_let_go, NOT_ROOT},
    [CONTROL_VIRTIO_BROKEN] = {virtio_broken, NOT_ROOT},
};

// INFO alone may come without a generation: it is what tells it.
static s32 find_cell(struct command *c, enum target target)
{
    struct control_request *q = c->q;
    if (target == NO_CELL)
        return 0;
    if (target == NOT_ROOT && !q->cell)
        return cell_refuse(&c->why, REFUSE_INVAL,
                           "cell 0 is the root cell; this is for the others");
    if (q->cell >= HV_MAX_CELLS)
        return cell_refuse(&c->why, REFUSE_INVAL, "there is no cell %u", q->cell);
    c->cell = &c->cpu->hv->cell[q->cell];
    if (cell_state(c->cell) == CONTROL_CELL_NONE)
        return cell_refuse(&c->why, REFUSE_NOENT, "there is no cell %u", q->cell);
    if (q->command != CONTROL_INFO && q->generation != c->cell->generation)
        return cell_refuse(&c->why, REFUSE_STALE, "cell %u is another one by now", q->cell);
    return 0;
}

static s32 begin(struct command *c)
{
    struct control_request *q = c->q;
    if (q->command >= ARRAY_LEN(commands) || !commands[q->command].run)
        return cell_refuse(&c->why, REFUSE_INVAL, "command %u is not known", q->command);
    if (q->size > CONTROL_DATA_SIZE)
        return cell_refuse(&c->why, REFUSE_INVAL, "%u bytes of data are too many", q->size);
    s32 error = find_cell(c, commands[q->command].target);
    return error ? error : commands[q->command].run(c);
}

// One more slice of CREATE or DESTROY, which zero the cell's memory.
static s32 go_on(struct command *c)
{
    struct cell *cell = &c->cpu->hv->cell[c->q->cell];
    if (!cell_scrub(cell, &c->m->scrubbed, SCRUB_SLICE))
        return 0;
    c->m->is_busy = false;
    return c->q->command == CONTROL_DESTROY ? cell_destroy(c->cpu, cell, &c->why) : 0;
}

static void answer(struct command *c, struct control_request *out, s32 result)
{
    struct control_request *q = c->q;
    q->result = result;
    out->result = result;
    out->cell = q->cell;
    out->generation = q->generation;
    out->size = q->size;
    memcpy(out->args, q->args, sizeof(out->args));
    memcpy(out->text, q->text, sizeof(out->text));
    if (result >= 0 && q->size <= CONTROL_DATA_SIZE)
        memcpy(out->data, q->data, (q->size + 7) & ~7u);
    store_u32(&out->state, c->m->is_busy ? CONTROL_BUSY : CONTROL_DONE);
}

void manage_ring(struct cpu *cpu)
{
    struct manage *m = cpu->hv->manage;
    struct control_request *shared = &m->shared->request;
    struct command c = {.cpu = cpu, .m = m, .q = &m->now};
    s32 result;
    c.why = (struct why){m->now.text, sizeof(m->now.text)};
    hv_lock(cpu);
    if (m->is_busy) {
        result = go_on(&c);
    } else if (load_u32(&shared->state) == CONTROL_SUBMITTED) {
        memcpy(&m->now, shared, sizeof(m->now));
        m->now.text[0] = 0;
        result = begin(&c);
    } else {
        hv_unlock(cpu);
        return;
    }
    answer(&c, shared, result);
    hv_unlock(cpu);
}
