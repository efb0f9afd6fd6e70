// SPDX-License-Identifier: Apache-2.0
#include "hv/boot.h"
#include "base/bits.h"
#include "hv/arch.h"
#include "hv/build.h"
#include "hv/cpu.h"
#include "hv/log.h"
#include "hv/manage.h"
#include "hv/plat/virt.h"
#include "hv/pool.h"
#include "hv/sync.h"
#include "hv/text.h"

extern char image_begin[], image_end[]; // of the linker's script
extern char tables_begin[], tables_end[];

static struct hv the_hv;

void boot_begin(struct boot *b, struct cpu *cpu, struct boot_tables *tables)
{
    *b = (struct boot){.hv = &the_hv, .cpu = cpu, .tables = tables};
    cpu->hv = b->hv;
    b->hv->cpu[cpu->id] = cpu;
    b->hv->n_cpus = 1;
}

bool boot_refuse(struct boot *b, const char *what)
{
    text_copy(b->why, sizeof(b->why), what);
    return false;
}

bool boot_check_system(struct boot *b, const void *blob, u64 size)
{
    if (!blob_check(&b->system, blob, size, b->why, sizeof(b->why)))
        return false;
    return b->system.head->kind == CELL_BLOB_SYSTEM ||
           boot_refuse(b, "it describes a cell in place of the system");
}

void boot_find_pool(const struct boot *b, u64 *base, u64 *size)
{
    for (u32 i = 0; i < b->system.head->n_memory; i++)
        if (b->system.memory[i].type == CELL_MEMORY_RAM) {
            *base = b->system.memory[i].gpa;
            *size = b->system.memory[i].size;
        }
}

static bool is_ram(const struct boot_tables *t, u64 base, u64 size)
{
    u64 at = base;
    for (u32 i = 0; i < t->n && at < base + size; i++) {
        const struct boot_range *r = &t->ranges[i];
        if (r->type && at >= r->base && at < r->base + r->size)
            at = r->base + r->size;
    }
    return at >= base + size;
}

bool boot_take_memory(struct boot *b, u64 pool_base, u64 pool_size)
{
    struct hv *hv = b->hv;
    hv->image_base = arch_physical(image_begin);
    hv->image_size = (u64)(image_end - image_begin);
    hv->pool_base = pool_base;
    hv->pool_size = pool_size;
    if (!is_ram(b->tables, pool_base, pool_size))
        return boot_refuse(b, "the pool of the system's description is not all RAM; "
                              "give more memory by -m");
    table_pool_add(hv, arch_physical(tables_begin), (u64)(tables_end - tables_begin));
    return (boot_tables_reserve(b->tables, hv->image_base,
                                align_up(hv->image_size, HV_PAGE_SIZE)) &&
            boot_tables_reserve(b->tables, pool_base, pool_size)) ||
           boot_refuse(b, "the memory map has no room for what is reserved");
}

struct cpu *boot_add_cpu(struct boot *b, u32 id)
{
    struct cpu *cpu = arch_cpu_area(id);
    memset(cpu, 0, sizeof(*cpu));
    cpu->hv = b->hv;
    cpu->id = id;
    b->hv->cpu[id] = cpu;
    return cpu;
}

static bool map(struct boot *b, u64 base, u64 size, u32 type, u32 rights)
{
    struct region r = {base, base, size, 0};
    return !size || arch_stage2_map(b->hv, b->hv->cell[0].stage2, r, type, rights);
}

static bool add_root_ram(struct boot *b, u64 base, u64 end)
{
    struct cell *root = &b->hv->cell[0];
    u64 first = align_up(base, HV_PAGE_SIZE), size = align_down(end, HV_PAGE_SIZE) - first;
    if (align_down(end, HV_PAGE_SIZE) <= first)
        return true;
    if (root->n_regions == HV_N_REGIONS)
        return false;
    root->region[root->n_regions++] = (struct region){first, first, size, 0};
    return map(b, first, size, CELL_MEMORY_RAM, CELL_READ | CELL_WRITE | CELL_EXECUTE);
}

// Neighbours are joined first, for large leaves.
static bool give_ram(struct boot *b)
{
    u64 base = 0, end = 0;
    for (u32 i = 0; i < b->tables->n; i++) {
        const struct boot_range *r = &b->tables->ranges[i];
        if (!r->type)
            continue;
        if (r->base != end) {
            if (!add_root_ram(b, base, end))
                return false;
            base = r->base;
        }
        end = r->base + r->size;
    }
    return add_root_ram(b, base, end);
}

static bool give_devices(struct boot *b)
{
    const struct blob *s = &b->system;
    for (u32 i = 0; i < s->head->n_memory; i++)
        if (s->memory[i].type == CELL_MEMORY_DEVICE &&
            !map(b, s->memory[i].gpa, s->memory[i].size, CELL_MEMORY_DEVICE, s->memory[i].rights))
            return false;
    for (u32 i = 0; i < s->head->n_memory; i++)
        if (s->memory[i].type == CELL_MEMORY_HOLE &&
            !arch_stage2_unmap(b->hv, b->hv->cell[0].stage2, s->memory[i].gpa, s->memory[i].size))
            return false;
    return true;
}

// Those that have not come yet join when they do: see boot_other.
static void give_cpus(struct boot *b)
{
    struct hv *hv = b->hv;
    struct cell *root = &hv->cell[0];
    root->n_vcpus = HV_MAX_CPUS;
    for (u32 i = 0; i < HV_MAX_CPUS; i++) {
        struct cpu *cpu = hv->cpu[i];
        root->vcpu[i] = (struct vcpu){.cell = root, .cpu = cpu, .index = i};
        if (!cpu)
            continue;
        if (cpu == b->cpu || load_u32(&cpu->state) != CPU_ABSENT)
            root->cpus |= 1u << i;
        __atomic_store_n(&cpu->vcpu, &root->vcpu[i], __ATOMIC_RELEASE);
    }
}

bool boot_make_root(struct boot *b)
{
    struct hv *hv = b->hv;
    struct cell *root = &hv->cell[0];
    for (u32 i = 0; i < HV_MAX_CELLS; i++) {
        hv->cell[i].hv = hv;
        hv->cell[i].id = i;
    }
    text_copy(root->name, sizeof(root->name), b->system.head->name);
    root->generation = root->starts = 1;
    root->flags = b->system.head->flags;
    give_cpus(b);
    if (!arch_stage2_new(hv, &root->stage2) || !give_ram(b) || !give_devices(b))
        return boot_refuse(b, "too few tables for the root cell");
    plat_add_root_devices(root);
    manage_init(hv, root, PLAT_ECAM, PLAT_PCI_WINDOW, PLAT_PCI_SIZE);
    root->state = CONTROL_CELL_RUNNING;
    return true;
}

void boot_log_start(struct boot *b)
{
    struct hv *hv = b->hv;
    hv_log(hv, "processors %u, %lu KiB at %lx, pool of %lu MiB at %lx, build %016lx", hv->n_cpus,
           hv->image_size >> 10, hv->image_base, hv->pool_size >> 20, hv->pool_base,
           build_fingerprint);
}

// If the root cell is there already, the processor stayed in firmware until somebody wanted it.
void boot_other(u32 id, struct cpu *cpu)
{
    if (!arch_cpu_init(cpu))
        arch_cpu_halt();
    if (__atomic_load_n(&cpu->vcpu, __ATOMIC_ACQUIRE)) {
        hv_lock(cpu);
        cpu->hv->cell[0].cpus |= 1u << id;
        hv_unlock(cpu);
        hv_log(cpu->hv, "processor %u comes to the root cell", id);
    }
    cpu_park(cpu);
}
