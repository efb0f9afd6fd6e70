// SPDX-License-Identifier: Apache-2.0
// What a vCPU and its VM are made of: pages of code, control registers, and configuration words.
#include "dune/arch/loongarch64/layout.h"
#include "dune/arch/loongarch64/mailbox.h"
#include "dune/pagetable.h"
#include "dune/raw.h"
#include "dune/vcpu.h"
#include "dune/vm.h"

#include <asm/kvm_para.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <string.h>

enum {
    N_CPUCFG = 21,
    WINDOW_CACHED = 0x11,                          // PLV0, MAT = 1
    WALK_LOW = 14 | 11 << 5 | 25 << 10 | 11 << 15, // PT and Dir1
    WALK_HIGH = 36 | 11 << 6,                      // Dir3
};

_Static_assert(offsetof(struct mailbox, regs.pc) == BOX_PC, "for stubs.S");
_Static_assert(offsetof(struct mailbox, estat) == BOX_ESTAT, "for stubs.S");
_Static_assert(offsetof(struct mailbox, badv) == BOX_BADV, "for stubs.S");
_Static_assert(offsetof(struct mailbox, prmd) == BOX_PRMD, "for stubs.S");
_Static_assert(offsetof(struct mailbox, at_door) == BOX_AT_DOOR, "for stubs.S");
_Static_assert(offsetof(struct mailbox, flush) == BOX_FLUSH, "for stubs.S");
_Static_assert(offsetof(struct mailbox, address) == BOX_ADDRESS, "for stubs.S");
_Static_assert(offsetof(struct mailbox, root) == BOX_ROOT, "for stubs.S");
_Static_assert(offsetof(struct mailbox, door) == BOX_DOOR, "for stubs.S");
_Static_assert(offsetof(struct mailbox, level) == BOX_LEVEL, "for stubs.S");
_Static_assert(offsetof(struct mailbox, upcall) == BOX_UPCALL, "for stubs.S");
_Static_assert(offsetof(struct mailbox, plan) == BOX_PLAN, "for stubs.S");
_Static_assert(sizeof(struct mailbox) <= AREA, "one is behind the other");

static int set_register(const struct vcpu *v, u64 id, u64 value)
{
    struct kvm_one_reg r = {.id = id, .addr = (u64)&value};
    return (int)vcpu_ioctl(v, KVM_SET_ONE_REG, &r);
}

int mailbox_set_csr(const struct vcpu *v, u32 number, u64 value)
{
    return set_register(v, KVM_IOC_CSRID(number), value);
}

int mailbox_get_csr(const struct vcpu *v, u32 number, u64 *value)
{
    struct kvm_one_reg r = {.id = KVM_IOC_CSRID(number), .addr = (u64)value};
    return (int)vcpu_ioctl(v, KVM_GET_ONE_REG, &r);
}

// The way out of the guest is found by trying.
const char *vcpu_lacks(int kvm_fd)
{
    static const struct {
        u32 capability;
        const char *name;
    } needed[] = {{KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
                  {KVM_CAP_ONE_REG, "KVM_CAP_ONE_REG"},
                  {KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"}};
    if (raw(SYS_ioctl, kvm_fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
        return "the interface of version 12";
    for (u32 i = 0; i < ARRAY_LEN(needed); i++)
        if (raw(SYS_ioctl, kvm_fd, KVM_CHECK_EXTENSION, needed[i].capability) <= 0)
            return needed[i].name;
    return NULL;
}

// KVM keeps nothing for the pages of a slot. All chunks of an address space fit into the 47 bits
// that the least of these processors has for guest-physical addresses, nearly.
u64 vcpu_chunk_size(bool has_log)
{
    return has_log ? 1ULL << 30 : 1ULL << 40;
}

int vcpu_door_named(const char *name)
{
    return !strcmp(name, "hvcl")    ? VCPU_DOOR_HVCL
           : !strcmp(name, "iocsr") ? VCPU_DOOR_IOCSR
           : !strcmp(name, "mmio")  ? VCPU_DOOR_MMIO
                                    : 0;
}

void vcpu_use_door(struct vcpu_model *m, int door)
{
    m->door = (enum vcpu_door)door;
}

int vcpu_model_init(struct vcpu_model *m, struct vm *vm, struct pagetable *tables)
{
    u8 *empty = pagetable_page(tables);
    m->tables = tables;
    m->stub = pagetable_page(tables);
    m->entry = pagetable_page(tables);
    if (!empty || !m->stub || !m->entry)
        return -ENOMEM;
    memcpy(m->stub + STUB_EXCEPTION, stub_exception, (size_t)(stub_end - stub_exception));
    memcpy(m->stub + STUB_REFILL, stub_refill, (size_t)(stub_refill_end - stub_refill));
    memcpy(m->entry, stub_entry, (size_t)(stub_entry_end - stub_entry));
    m->stub_gpa = pagetable_page_gpa(tables, m->stub);
    m->empty_gpa = pagetable_page_gpa(tables, empty);
    if (!m->stub_gpa || !m->empty_gpa)
        return -ENOMEM;
    return pagetable_map(tables, GUEST_ENTRY_PAGE, pagetable_page_gpa(tables, m->entry), PTE_USER);
}

// The bits that KVM lets a guest have.
static u64 allowed(const struct vcpu *v, u32 word)
{
    u64 mask = 0;
    struct kvm_device_attr attr = {
        .group = KVM_LOONGARCH_VCPU_CPUCFG, .attr = word, .addr = (u64)&mask};
    return vcpu_ioctl(v, KVM_GET_DEVICE_ATTR, &attr) < 0 ? 0 : mask;
}

// The host's, without binary translation and another guest inside.
static u32 cpucfg(const struct vcpu *v, u32 word)
{
    enum { LVZ = 1 << 10, TRANSLATION = 7 << 18, WALKER = 1 << 24 };
    u32 value = (u32)__builtin_loongarch_cpucfg(word) & (u32)allowed(v, word);
    return word == 2 ? value & ~(u32)(LVZ | TRANSLATION | WALKER) : value;
}

static int set_cpucfg(const struct vcpu *v, struct vcpu_model *m)
{
    for (u32 word = 0; word < N_CPUCFG; word++) {
        u32 value = cpucfg(v, word);
        int ret = set_register(v, KVM_IOC_CPUCFG(word), value);
        if (ret < 0 && value)
            return ret;
        if (word == 2) // FP, LSX and LASX
            m->units = (value & 1) | (value >> 6 & 1) << 1 | (value >> 7 & 1) << 2;
    }
    u32 vectors = m->units & 4 ? 2 : m->units & 2 ? 1 : 0;
    memcpy(m->entry + (GUEST_VECTORS - GUEST_ENTRY_PAGE), &vectors, sizeof(vectors));
    return 0;
}

// hvcl exits when the vCPU was given that feature, which older kernels do not have. Those by which
// a guest has KVM write to its memory it is not given.
static bool set_features(const struct vcpu *v, u64 features)
{
    struct kvm_device_attr attr = {
        .group = KVM_LOONGARCH_VCPU_CPUCFG, .attr = CPUCFG_KVM_FEATURE, .addr = (u64)&features};
    return vcpu_ioctl(v, KVM_SET_DEVICE_ATTR, &attr) == 0;
}

static void put_door(struct vcpu_model *m)
{
    enum { IOCSRWR_D = 0x06481dcd, ST_D = 0x29c001cd }; // of t1, to what t2 names
    u32 word = m->door == VCPU_DOOR_IOCSR ? IOCSRWR_D : ST_D;
    if (m->door != VCPU_DOOR_HVCL)
        memcpy(m->stub + (stub_door - stub_exception), &word, sizeof(word));
}

static int choose_door(const struct vcpu *v, struct vcpu_model *m)
{
    bool wants_hypercall = m->door == VCPU_DOOR_UNKNOWN || m->door == VCPU_DOOR_HVCL;
    u64 features = wants_hypercall ? 1ULL << KVM_FEATURE_USER_HCALL : 0;
    bool has_hypercall = set_features(v, features) && wants_hypercall;
    if (m->door == VCPU_DOOR_HVCL && !has_hypercall)
        return -ENOSYS;
    if (m->door == VCPU_DOOR_UNKNOWN)
        m->door = has_hypercall ? VCPU_DOOR_HVCL : VCPU_DOOR_IOCSR;
    if (!m->is_probed)
        put_door(m);
    return 0;
}

static int make_page(struct vcpu *v, struct vcpu_model *m)
{
    if (v->page)
        return 0;
    v->page = pagetable_page(m->tables);
    u64 gpa = v->page ? pagetable_page_gpa(m->tables, v->page) : 0;
    v->page_gva = GUEST_WINDOW + gpa;
    return gpa ? 0 : -ENOMEM;
}

static int set_control(const struct vcpu *v, const struct vcpu_model *m)
{
    const struct {
        u32 number;
        u64 value;
    } csrs[] = {
        {CSR_CRMD, CRMD_IN_PROGRAM},
        {CSR_PRMD, 3},
        {CSR_EUEN, m->units},
        {CSR_MISC, 0},
        {CSR_ECFG, 0},
        {CSR_TCFG, 0},
        {CSR_TID, 0},
        {CSR_ASID, 0},
        {CSR_EENTRY, GUEST_WINDOW + m->stub_gpa + STUB_EXCEPTION},
        {CSR_TLBRENTRY, m->stub_gpa + STUB_REFILL},
        {CSR_TLBRERA, 0},
        {CSR_TLBREHI, PT_PAGE_SHIFT},
        {CSR_STLBPS, PT_PAGE_SHIFT},
        {CSR_PWCL, WALK_LOW},
        {CSR_PWCH, WALK_HIGH},
        {CSR_RVACFG, 0},
        {CSR_PGDL, pagetable_root_gpa(m->tables)},
        {CSR_PGDH, m->empty_gpa},
        {CSR_SAVE0, v->page_gva},
        {CSR_DMW0, GUEST_WINDOW | WINDOW_CACHED},
        {CSR_DMW0 + 1, 0},
        {CSR_DMW0 + 2, 0},
        {CSR_DMW0 + 3, 0},
    };
    int ret = 0;
    for (u32 i = 0; i < ARRAY_LEN(csrs) && !ret; i++)
        ret = mailbox_set_csr(v, csrs[i].number, csrs[i].value);
    return ret;
}

static int configure(const struct vcpu *v, struct vcpu_model *m)
{
    int ret = set_cpucfg(v, m);
    return ret ? ret : choose_door(v, m);
}

int vcpu_set_up(struct vcpu_state *s, struct vcpu_model *m, struct vcpu *v)
{
    struct vcpu_extra nothing = {0};
    int ret = make_page(v, m);
    if (!ret && !v->is_set_up)
        ret = configure(v, m);
    ret = ret ? ret : set_control(v, m);
    if (!ret)
        ret = (int)vcpu_ioctl(v, KVM_SET_FPU, &nothing);
    if (ret < 0)
        return ret;
    v->is_set_up = true;
    v->run->exit_reason = KVM_EXIT_UNKNOWN;
    s->v = v;
    s->model = m;
    s->level = VCPU_IN_PLV3;
    s->box = (struct mailbox *)(void *)v->page;
    s->regs = &s->box->regs;
    *s->box =
        (struct mailbox){.root = pagetable_root_gpa(m->tables), .flush = 1, .level = LEVEL_PROGRAM};
    s->box->door = m->door == VCPU_DOOR_IOCSR ? GUEST_DOOR_IOCSR : GUEST_WINDOW + GUEST_DOOR_GPA;
    return 0;
}
