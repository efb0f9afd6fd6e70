// SPDX-License-Identifier: Apache-2.0
// Started directly as an ELF program, with a bundle in place of an initramfs
// (include/longhouse/bundle.h): from the first instructions in C to the root cell's kernel.
#include "base/bits.h"
#include "hv/arch.h"
#include "hv/boot.h"
#include "hv/boot_tables.h"
#include "hv/cell.h"
#include "hv/cpu.h"
#include "hv/crc32.h"
#include "hv/log.h"
#include "hv/plat/virt.h"
#include "hv/sync.h"
#include "hv/text.h"
#include "include/longhouse/bundle.h"

#define START_LIMIT_MS    500
#define COMMAND_LINE_SIZE 4096
#define PHYSICAL          BITS(47, 0)

_Noreturn void boot_first(u64 is_efi, u64 command_line, u64 systab, struct cpu *cpu);

static struct boot_tables tables;

struct start {
    struct boot boot;
    u64 command_line, systab;
    u64 bundle_pa;
    const struct bundle *bundle;
};

_Noreturn static void give_up(struct start *b, const char *what)
{
    hv_shout(b->boot.hv, "cannot start: %s", what);
    plat_power_off();
    arch_cpu_halt();
}

static void insist(struct start *b, bool is_good)
{
    if (!is_good)
        give_up(b, b->boot.why);
}

static const struct bundle_item *find_item(const struct start *b, u32 kind)
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

static void find_bundle(struct start *b)
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

static void check_system(struct start *b)
{
    const struct bundle_item *t = find_item(b, BUNDLE_SYSTEM);
    if (!t)
        give_up(b, "the bundle describes no system");
    insist(b, boot_check_system(&b->boot, arch_memory(b->bundle_pa + t->offset), t->size));
}

static void take_memory(struct start *b)
{
    u64 base = 0, size = 0;
    boot_find_pool(&b->boot, &base, &size);
    insist(b, boot_take_memory(&b->boot, base, size));
    if (b->bundle_pa < base + size && base < b->bundle_pa + b->bundle->size)
        give_up(b, "the bundle lies in the pool");
}

static bool is_here(void *opaque)
{
    return load_u32(&((struct cpu *)opaque)->state) != CPU_ABSENT;
}

// Those that do not answer are taken for absent: one description serves machines of several sizes.
static void start_others(struct start *b)
{
    const struct blob *system = &b->boot.system;
    struct hv *hv = b->boot.hv;
    for (u32 i = 0; i < system->head->n_cpus; i++) {
        u32 id = system->cpus[i].id;
        if (!id)
            continue;
        struct cpu *cpu = boot_add_cpu(&b->boot, id);
        arch_cpu_start(id);
        if (!cpu_wait_until(b->boot.cpu, is_here, cpu, START_LIMIT_MS)) {
            hv->cpu[id] = NULL;
            break;
        }
        hv->n_cpus++;
    }
}

static void load_segment(struct start *b, const struct bundle_item *t)
{
    u64 hpa, left, bundle_end = b->bundle_pa + b->bundle->size;
    if (!cell_find(&b->boot.hv->cell[0], t->gpa, &hpa, &left) || t->memory_size > left ||
        t->size > t->memory_size)
        give_up(b, "the root cell's kernel does not fit into its memory");
    if (hpa < bundle_end && b->bundle_pa < hpa + t->memory_size)
        give_up(b, "the root cell's kernel and the bundle overlap; give more memory by -m");
    memcpy(arch_memory(hpa), arch_memory(b->bundle_pa + t->offset), t->size);
    memset(arch_memory(hpa + t->size), 0, t->memory_size - t->size);
}

// The bundle's goes before the one that the hypervisor was started with.
static void set_command_line(struct start *b)
{
    const struct bundle_item *t = find_item(b, BUNDLE_COMMAND_LINE);
    char *to = arch_memory(b->command_line);
    if (!t)
        return;
    text_copy(to, t->size < COMMAND_LINE_SIZE ? (u32)t->size + 1 : COMMAND_LINE_SIZE,
              arch_memory(b->bundle_pa + t->offset));
}

static void load_root(struct start *b)
{
    const struct bundle_item *initrd = find_item(b, BUNDLE_INITRD);
    struct cell *root = &b->boot.hv->cell[0];
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
    root->vcpu[0].state = VCPU_STARTING;
}

void boot_first(u64 is_efi, u64 command_line, u64 systab, struct cpu *cpu)
{
    struct start b;
    boot_begin(&b.boot, cpu, &tables);
    b.command_line = command_line & PHYSICAL;
    b.systab = systab & PHYSICAL;
    b.boot.hv->is_booting = true;
    if (!arch_cpu_init(cpu))
        give_up(&b, "this processor cannot run guests");
    find_bundle(&b);
    check_system(&b);
    take_memory(&b);
    start_others(&b);
    insist(&b, boot_make_root(&b.boot));
    load_root(&b);
    boot_log_start(&b.boot);
    b.boot.hv->is_booting = false;
    arch_sync_code();
    arch_cpu_abandon(cpu, cpu_park);
}
