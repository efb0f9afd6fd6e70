// SPDX-License-Identifier: Apache-2.0
// From the first instructions in C to the root cell's kernel. Started directly as an ELF program,
// with a bundle in place of an initramfs (include/longhouse/bundle.h).
#include "base/bits.h"
#include "hv/arch.h"
#include "hv/blob.h"
#include "hv/boot_tables.h"
#include "hv/build.h"
#include "hv/cell.h"
#include "hv/cpu.h"
#include "hv/crc32.h"
#include "hv/log.h"
#include "hv/manage.h"
#include "hv/plat/virt.h"
#include "hv/pool.h"
#include "hv/sync.h"
#include "hv/text.h"
#include "include/longhouse/bundle.h"

#define START_LIMIT_MS    500
#define COMMAND_LINE_SIZE 4096
#define PHYSICAL          BITS(47, 0)

extern char image_begin[], image_end[]; // image.lds
extern char tables_begin[], tables_end[];

_Noreturn void boot_first(u64 is_efi, u64 command_line, u64 systab, struct cpu *cpu);
_Noreturn void boot_other(u32 id, struct cpu *cpu);

static struct hv the_hv;
static struct boot_tables tables;

struct boot {
    struct hv *hv;
    struct cpu *cpu;
    u64 command_line, systab;
    u64 bundle_pa;
    const struct bundle *bundle;
    struct blob system;
};

_Noreturn static void give_up(struct boot *b, const char *what)
{
    hv_shout(b->hv, "cannot start: %s", what);
    plat_power_off();
    arch_cpu_halt();
}

static const struct bundle_item *find_item(const struct boot *b, u32 kind)
{
    for (u32 i = 0; i < b->bundle->n_items; i++)
        if (b->bundle->items[i].kind == kind)
            return &b->bundle->items[i];
    return NULL;
}

static bool crc_is_right(const struct bundle *bundle)
{
    struct bundle head = *bundle;
    head.crc32 = 0;
    return crc32_of(0, &head, sizeof(head)) == bundle->crc32;
}

static void find_bundle(struct boot *b)
{
    if (!boot_tables_read(&tables, b->systab) || !tables.initrd)
        give_up(b, "no EFI tables with a memory map and a bundle; give one by -initrd");
    b->bundle_pa = load_le(tables.initrd, 8);
    u64 size = load_le(tables.initrd + 8, 8);
    b->bundle = arch_memory(b->bundle_pa);
    if (size < sizeof(*b->bundle) || b->bundle->magic != BUNDLE_MAGIC)
        give_up(b, "the file given by -initrd is no bundle; 'lh cell bundle' makes one");
    if (b->bundle->version != BUNDLE_VERSION || b->bundle->n_items > BUNDLE_MAX_ITEMS ||
        b->bundle->size > size || !crc_is_right(b->bundle))
        give_up(b, "the bundle is damaged or of another version");
    for (u32 i = 0; i < b->bundle->n_items; i++) {
        const struct bundle_item *t = &b->bundle->items[i];
        if (t->offset > size || t->size > size - t->offset)
            give_up(b, "the bundle is shorter than it says");
    }
}

static void check_system(struct boot *b)
{
    char why[CONTROL_TEXT_SIZE];
    const struct bundle_item *t = find_item(b, BUNDLE_SYSTEM);
    if (!t)
        give_up(b, "the bundle describes no system");
    if (!blob_check(&b->system, arch_memory(b->bundle_pa + t->offset), t->size, why, sizeof(why)))
        give_up(b, why);
    if (b->system.head->kind != CELL_BLOB_SYSTEM)
        give_up(b, "the bundle describes a cell in place of the system");
}

static bool is_ram(u64 base, u64 size)
{
    u64 at = base;
    for (u32 i = 0; i < tables.n && at < base + size; i++) {
        const struct boot_range *r = &tables.ranges[i];
        if (r->type && at >= r->base && at < r->base + r->size)
            at = r->base + r->size;
    }
    return at >= base + size;
}

static void set_up_memory(struct boot *b)
{
    struct hv *hv = b->hv;
    hv->image_base = arch_physical(image_begin);
    hv->image_size = (u64)(image_end - image_begin);
    for (u32 i = 0; i < b->system.head->n_memory; i++)
        if (b->system.memory[i].type == CELL_MEMORY_RAM) {
            hv->pool_base = b->system.memory[i].gpa;
            hv->pool_size = b->system.memory[i].size;
        }
    if (!is_ram(hv->pool_base, hv->pool_size))
        give_up(b, "the pool of the system's description is not all RAM; give more memory by -m");
    if (b->bundle_pa < hv->pool_base + hv->pool_size &&
        hv->pool_base < b->bundle_pa + b->bundle->size)
        give_up(b, "the bundle lies in the pool");
    table_pool_add(hv, arch_physical(tables_begin), (u64)(tables_end - tables_begin));
    if (!boot_tables_reserve(&tables, hv->image_base, align_up(hv->image_size, HV_PAGE_SIZE)) ||
        !boot_tables_reserve(&tables, hv->pool_base, hv->pool_size))
        give_up(b, "the memory map has no room for what is reserved");
}

static bool is_here(void *opaque)
{
    return load_u32(&((struct cpu *)opaque)->state) != CPU_ABSENT;
}

static struct cpu *area_of(struct boot *b, u32 id)
{
    return (struct cpu *)((char *)b->cpu + id * arch_cpu_stride());
}

// Those that do not answer are taken for absent: one description serves machines of several sizes.
static void start_others(struct boot *b)
{
    for (u32 i = 0; i < b->system.head->n_cpus; i++) {
        u32 id = b->system.cpus[i].id;
        if (!id)
            continue;
        struct cpu *cpu = area_of(b, id);
        memset(cpu, 0, sizeof(*cpu));
        cpu->hv = b->hv;
        cpu->id = id;
        b->hv->cpu[id] = cpu;
        arch_cpu_start(id);
        if (!cpu_wait_until(b->cpu, is_here, cpu, START_LIMIT_MS)) {
            b->hv->cpu[id] = NULL;
            break;
        }
        b->hv->n_cpus++;
    }
}

static void map(struct boot *b, u64 base, u64 size, u32 type, u32 rights)
{
    struct region r = {base, base, size};
    if (size && !arch_stage2_map(b->hv, b->hv->cell[0].stage2, r, type, rights))
        give_up(b, "too few tables for the root cell");
}

static void add_root_ram(struct boot *b, u64 base, u64 end)
{
    struct cell *root = &b->hv->cell[0];
    u64 first = align_up(base, HV_PAGE_SIZE), size = align_down(end, HV_PAGE_SIZE) - first;
    if (end <= first || root->n_regions == HV_N_REGIONS)
        return;
    root->region[root->n_regions++] = (struct region){first, first, size};
    map(b, first, size, CELL_MEMORY_RAM, CELL_READ | CELL_WRITE | CELL_EXECUTE);
}

// Neighbours are joined first, for large leaves.
static void give_ram(struct boot *b)
{
    u64 base = 0, end = 0;
    for (u32 i = 0; i < tables.n; i++) {
        const struct boot_range *r = &tables.ranges[i];
        if (!r->type)
            continue;
        if (r->base != end) {
            add_root_ram(b, base, end);
            base = r->base;
        }
        end = r->base + r->size;
    }
    add_root_ram(b, base, end);
}

static void give_devices(struct boot *b)
{
    const struct blob *s = &b->system;
    for (u32 i = 0; i < s->head->n_memory; i++)
        if (s->memory[i].type == CELL_MEMORY_DEVICE)
            map(b, s->memory[i].gpa, s->memory[i].size, CELL_MEMORY_DEVICE, s->memory[i].rights);
    for (u32 i = 0; i < s->head->n_memory; i++)
        if (s->memory[i].type == CELL_MEMORY_HOLE &&
            !arch_stage2_unmap(b->hv, b->hv->cell[0].stage2, s->memory[i].gpa, s->memory[i].size))
            give_up(b, "too few tables for the root cell");
}

static void make_root(struct boot *b)
{
    struct hv *hv = b->hv;
    struct cell *root = &hv->cell[0];
    for (u32 i = 0; i < HV_MAX_CELLS; i++) {
        hv->cell[i].hv = hv;
        hv->cell[i].id = i;
    }
    if (!arch_stage2_new(hv, &root->stage2))
        give_up(b, "too few tables for the root cell");
    text_copy(root->name, sizeof(root->name), b->system.head->name);
    root->generation = 1;
    root->flags = b->system.head->flags;
    root->n_vcpus = HV_MAX_CPUS;
    for (u32 i = 0; i < HV_MAX_CPUS; i++) {
        root->vcpu[i] = (struct vcpu){.cell = root, .cpu = hv->cpu[i], .index = i};
        if (!hv->cpu[i])
            continue;
        root->cpus |= 1u << i;
        __atomic_store_n(&hv->cpu[i]->vcpu, &root->vcpu[i], __ATOMIC_RELEASE);
    }
    give_ram(b);
    give_devices(b);
    plat_add_root_devices(root);
    manage_init(hv, root, PLAT_ECAM, PLAT_PCI_WINDOW, PLAT_PCI_SIZE);
    root->state = CONTROL_CELL_RUNNING;
}

static void load_segment(struct boot *b, const struct bundle_item *t)
{
    u64 hpa, left, bundle_end = b->bundle_pa + b->bundle->size;
    if (!cell_find(&b->hv->cell[0], t->gpa, &hpa, &left) || t->memory_size > left ||
        t->size > t->memory_size)
        give_up(b, "the root cell's kernel does not fit into its memory");
    if (hpa < bundle_end && b->bundle_pa < hpa + t->memory_size)
        give_up(b, "the root cell's kernel and the bundle overlap; give more memory by -m");
    memcpy(arch_memory(hpa), arch_memory(b->bundle_pa + t->offset), t->size);
    memset(arch_memory(hpa + t->size), 0, t->memory_size - t->size);
}

// The bundle's goes before the one that the hypervisor was started with.
static void set_command_line(struct boot *b)
{
    const struct bundle_item *t = find_item(b, BUNDLE_COMMAND_LINE);
    char *to = arch_memory(b->command_line);
    if (!t)
        return;
    text_copy(to, t->size < COMMAND_LINE_SIZE ? (u32)t->size + 1 : COMMAND_LINE_SIZE,
              arch_memory(b->bundle_pa + t->offset));
}

static void load_root(struct boot *b)
{
    const struct bundle_item *initrd = find_item(b, BUNDLE_INITRD);
    struct cell *root = &b->hv->cell[0];
    for (u32 i = 0; i < b->bundle->n_items; i++)
        if (b->bundle->items[i].kind == BUNDLE_SEGMENT)
            load_segment(b, &b->bundle->items[i]);
    set_command_line(b);
    boot_tables_write(&tables, initrd ? b->bundle_pa + initrd->offset : 0,
                      initrd ? initrd->size : 0);
    root->vcpu[0].entry = b->bundle->entry;
    root->vcpu[0].args[0] = 1;
    root->vcpu[0].args[1] = b->command_line;
    root->vcpu[0].args[2] = b->systab;
    root->starts = 1;
    root->vcpu[0].state = VCPU_STARTING;
}

static void say_hello(struct boot *b)
{
    struct hv *hv = b->hv;
    hv_log(hv, "%u processors, %lu KiB at %lx, pool of %lu MiB at %lx, build %016lx", hv->n_cpus,
           hv->image_size >> 10, hv->image_base, hv->pool_size >> 20, hv->pool_base,
           build_fingerprint);
}

void boot_first(u64 is_efi, u64 command_line, u64 systab, struct cpu *cpu)
{
    struct boot b = {.hv = &the_hv, .cpu = cpu};
    b.command_line = command_line & PHYSICAL;
    b.systab = systab & PHYSICAL;
    cpu->hv = b.hv;
    b.hv->is_booting = true;
    b.hv->cpu[0] = cpu;
    b.hv->n_cpus = 1;
    if (!arch_cpu_init(cpu))
        give_up(&b, "this processor cannot run guests");
    find_bundle(&b);
    check_system(&b);
    set_up_memory(&b);
    start_others(&b);
    make_root(&b);
    load_root(&b);
    say_hello(&b);
    b.hv->is_booting = false;
    arch_sync_code();
    arch_cpu_abandon(cpu, cpu_park);
}

void boot_other(u32 id, struct cpu *cpu)
{
    if (!arch_cpu_init(cpu))
        arch_cpu_halt();
    cpu_park(cpu);
}
