// SPDX-License-Identifier: Apache-2.0
#include "dune/vcpu.h"
#include "dune/arch/x86_64/layout.h"
#include "dune/native.h"
#include "dune/pagetable.h"
#include "dune/raw.h"
#include "dune/vm.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <time.h>

enum {
    PAGE = 4096,
    GDT_SIZE = 0x50,
    TSS_AT = 0x80, // in the vCPU's page; the rest of the page is its kernel stack
    TSS_SIZE = 0x68,
    N_CPUID = 128,
};

#define CHUNK_SHADOW (64ULL << 20)
#define CHUNK_NESTED (1ULL << 30)

#define CR0_VALUE    0x80050033ULL
#define CR4_PAE      (1ULL << 5)
#define CR4_FP       (3ULL << 9)
#define CR4_FSGSBASE (1ULL << 16)
#define CR4_OSXSAVE  (1ULL << 18)
#define CR4_SMEP     (1ULL << 20)
#define EFER_VALUE   0xd01ULL // SCE, LME, LMA, NXE
#define FLAGS_FIXED  2ULL
#define FLAGS_IF     0x200ULL

enum { MSR_STAR = 0xc0000081, MSR_LSTAR = 0xc0000082, MSR_SFMASK = 0xc0000084 };

extern const u8 stub_returns[], stub_returns_end[], stub_entry[], stub_entry_end[];

static void write_gate(u64 *idt, u32 vector, u64 target)
{
    u64 dpl = vector == 3 || vector == 4 ? 3 : 0;
    idt[2 * vector] = (target & 0xffff) | (u64)SELECTOR_KERNEL_CODE << 16 |
                      (0x8eULL | dpl << 5) << 40 | (target >> 16 & 0xffff) << 48;
    idt[2 * vector + 1] = target >> 32;
}

static void write_idt(u64 *idt)
{
    for (u32 i = 0; i < 256; i++)
        write_gate(idt, i, GUEST_STUBS + 16 * i);
}

static int map_kernel(struct pagetable *pt)
{
    u8 *stubs = pagetable_page(pt), *idt = pagetable_page(pt), *returns = pagetable_page(pt),
       *entry = pagetable_page(pt);
    if (!entry)
        return -ENOMEM;
    memset(stubs, 0xf4, PAGE); // hlt
    write_idt((u64 *)(void *)idt);
    memcpy(returns, stub_returns, (size_t)(stub_returns_end - stub_returns));
    memcpy(entry, stub_entry, (size_t)(stub_entry_end - stub_entry));
    int ret = pagetable_map(pt, GUEST_STUBS, pagetable_page_gpa(pt, stubs), 0);
    ret = ret ? ret : pagetable_map(pt, GUEST_IDT, pagetable_page_gpa(pt, idt), PTE_NX);
    ret = ret ? ret : pagetable_map(pt, GUEST_RETURNS, pagetable_page_gpa(pt, returns), 0);
    ret = ret ? ret : pagetable_map(pt, GUEST_ENTRY_PAGE, pagetable_page_gpa(pt, entry), PTE_USER);
    return ret ? ret
               : pagetable_map(pt, GUEST_DOOR_PAGE, GUEST_DOOR_GPA, PTE_USER | PTE_WRITE | PTE_NX);
}

// Some hosts leave out what runs nevertheless, and then refuse control bits for it.
static void allow_what_host_has(struct kvm_cpuid2 *cpuid)
{
    u32 a, b, c, d, seven_b = 0, one_c = 0;
    if (__get_cpuid(1, &a, &b, &c, &d))
        one_c = c & (1u << 26 | 1u << 27 | 1u << 28);
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
        seven_b = b & 1;
    for (u32 i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *e = cpuid->entries + i;
        if (e->function == 1)
            e->ecx |= one_c;
        if (e->function == 7 && e->index == 0)
            e->ebx |= seven_b;
    }
}

const char *vcpu_lacks(int kvm_fd)
{
    static const struct {
        u32 capability, bits;
        const char *name;
    } needed[] = {{KVM_CAP_USER_MEMORY, 1, "KVM_CAP_USER_MEMORY"},
                  {KVM_CAP_EXT_CPUID, 1, "KVM_CAP_EXT_CPUID"},
                  {KVM_CAP_SYNC_REGS, KVM_SYNC_X86_REGS, "KVM_CAP_SYNC_REGS"},
                  {KVM_CAP_IMMEDIATE_EXIT, 1, "KVM_CAP_IMMEDIATE_EXIT"},
                  {KVM_CAP_XSAVE, 1, "KVM_CAP_XSAVE"},
                  {KVM_CAP_XCRS, 1, "KVM_CAP_XCRS"}};
    if (raw(SYS_ioctl, kvm_fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
        return "the interface of version 12";
    for (u32 i = 0; i < ARRAY_LEN(needed); i++) {
        long has = raw(SYS_ioctl, kvm_fd, KVM_CHECK_EXTENSION, needed[i].capability);
        if (has < 0 || !((u64)has & needed[i].bits))
            return needed[i].name;
    }
    return NULL;
}

static bool is_on(const char *parameter)
{
    char c = 'N';
    long fd = raw(SYS_openat, AT_FDCWD, parameter, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        raw(SYS_read, fd, &c, 1);
        raw(SYS_close, fd);
    }
    return c == 'Y' || c == '1';
}

u64 vcpu_chunk_size(bool has_log)
{
    bool is_nested = is_on("/sys/module/kvm_intel/parameters/ept") ||
                     is_on("/sys/module/kvm_amd/parameters/npt");
    return is_nested ? CHUNK_NESTED : CHUNK_SHADOW;
}

int vcpu_door_named(const char *name)
{
    return 0;
}

void vcpu_use_door(struct vcpu_model *m, int door)
{
}

int vcpu_model_init(struct vcpu_model *m, struct vm *vm, struct pagetable *tables)
{
    struct kvm_cpuid2 *cpuid =
        raw_pages(sizeof(*cpuid) + N_CPUID * sizeof(struct kvm_cpuid_entry2));
    if (!cpuid)
        return -ENOMEM;
    cpuid->nent = N_CPUID;
    long ret = raw(SYS_ioctl, vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid);
    if (ret < 0)
        return (int)ret;
    allow_what_host_has(cpuid);
    m->cpuid = cpuid;
    m->tables = tables;
    m->may_smep = true;
    m->flavour = VCPU_UNKNOWN;
    return map_kernel(tables);
}

static void write_tables(u8 *page, u64 gva)
{
    u64 *gdt = (u64 *)(void *)page;
    u64 tss = gva + TSS_AT, top = gva + PAGE;
    gdt[2] = 0x00af9b000000ffff;
    gdt[3] = 0x00cf93000000ffff;
    gdt[4] = 0x00cffb000000ffff;
    gdt[5] = 0x00cff3000000ffff;
    gdt[6] = 0x00affb000000ffff;
    gdt[8] = (TSS_SIZE - 1) | (tss & 0xffffff) << 16 | 0x8bULL << 40 | (tss >> 24 & 0xff) << 56;
    gdt[9] = tss >> 32;
    memcpy(page + TSS_AT + 4, &top, sizeof(top)); // RSP0
    page[TSS_AT + 0x66] = TSS_SIZE;               // no map of I/O ports
}

// The page stays with the vCPU's number over forks.
static int make_page(struct vcpu *v, struct pagetable *pt)
{
    if (v->page)
        return 0;
    u8 *page = pagetable_page(pt);
    u64 gva = GUEST_VCPU_PAGES + (u64)v->id * PAGE;
    if (!page || pagetable_map(pt, gva, pagetable_page_gpa(pt, page), PTE_WRITE | PTE_NX))
        return -ENOMEM;
    write_tables(page, gva);
    v->page = page;
    v->page_gva = gva;
    return 0;
}

static struct kvm_segment segment(u16 selector, u8 type, u8 dpl, bool is_code)
{
    return (struct kvm_segment){.limit = 0xffffffff,
                                .selector = selector,
                                .type = type,
                                .present = 1,
                                .dpl = dpl,
                                .db = !is_code,
                                .s = 1,
                                .l = is_code,
                                .g = 1};
}

static void fill_sregs(struct kvm_sregs *s, const struct vcpu *v, struct vcpu_model *m)
{
    struct kvm_segment data = segment(SELECTOR_USER_DATA, 3, 3, false);
    s->cs = segment(SELECTOR_USER_CODE, 11, 3, true);
    s->ss = s->ds = s->es = s->fs = s->gs = data;
    s->tr = (struct kvm_segment){.base = v->page_gva + TSS_AT,
                                 .limit = TSS_SIZE - 1,
                                 .selector = SELECTOR_TSS,
                                 .type = 11,
                                 .present = 1};
    s->ldt = (struct kvm_segment){.unusable = 1};
    s->gdt = (struct kvm_dtable){.base = v->page_gva, .limit = GDT_SIZE - 1};
    s->idt = (struct kvm_dtable){.base = GUEST_IDT, .limit = PAGE - 1};
    s->cr0 = CR0_VALUE;
    s->cr3 = pagetable_root_gpa(m->tables);
    s->cr4 = CR4_PAE | CR4_FP | CR4_FSGSBASE | CR4_OSXSAVE | (m->may_smep ? CR4_SMEP : 0);
    s->efer = EFER_VALUE;
}

static long set_control(struct vcpu *v, struct vcpu_model *m)
{
    struct kvm_sregs sregs;
    long ret = vcpu_ioctl(v, KVM_GET_SREGS, &sregs);
    if (ret < 0)
        return ret;
    fill_sregs(&sregs, v, m);
    ret = vcpu_ioctl(v, KVM_SET_SREGS, &sregs);
    if (ret == -EINVAL && m->may_smep) {
        m->may_smep = true;
        fill_sregs(&sregs, v, m);
        ret = vcpu_ioctl(v, KVM_SET_SREGS, &sregs);
    }
    return ret;
}

static long set_entry(struct vcpu *v, const struct vcpu_model *m)
{
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entries[3];
    } msrs = {.head.nmsrs = 3};
    bool is_ring3 = m->flavour == VCPU_RING3_ENTRY;
    msrs.entries[0] = (struct kvm_msr_entry){.index = MSR_STAR, .data = 0x0023001000000000};
    msrs.entries[1] = (struct kvm_msr_entry){.index = MSR_LSTAR,
                                             .data = is_ring3 ? GUEST_DOOR_CODE : GUEST_SYSCALL};
    msrs.entries[2] = (struct kvm_msr_entry){.index = MSR_SFMASK, .data = is_ring3 ? 0 : 0x47700};
    long ret = vcpu_ioctl(v, KVM_SET_MSRS, &msrs);
    return ret == 3 ? 0 : ret < 0 ? ret : -EINVAL;
}

static u64 host_xcr0(void)
{
    u32 low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (u64)high << 32 | low;
}

// AMX needs a permission that the host process did not ask for; the rest is what the host has.
static long set_floating_point(struct vcpu *v)
{
    struct kvm_xcrs xcrs = {.nr_xcrs = 1};
    xcrs.xcrs[0].value = host_xcr0() & 0xe7;
    long ret = vcpu_ioctl(v, KVM_SET_XCRS, &xcrs);
    struct kvm_xsave x = {{0}};
    u64 components = 3;
    x.region[0] = 0x37f;
    x.region[6] = 0x1f80;
    memcpy(x.region + 128, &components, sizeof(components));
    return ret < 0 ? ret : vcpu_ioctl(v, KVM_SET_XSAVE, &x);
}

static long configure(struct vcpu *v, struct vcpu_model *m)
{
    long ret = vcpu_ioctl(v, KVM_SET_CPUID2, m->cpuid);
    ret = ret < 0 ? ret : set_control(v, m);
    return ret < 0 ? ret : set_entry(v, m);
}

int vcpu_set_up(struct vcpu_state *s, struct vcpu_model *m, struct vcpu *v)
{
    long ret = make_page(v, m->tables);
    if (!ret && !v->is_set_up)
        ret = configure(v, m);
    else if (!ret)
        ret = set_control(v, m);
    ret = ret < 0 ? ret : set_floating_point(v);
    if (ret < 0)
        return (int)ret;
    v->is_set_up = true;
    v->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
    s->v = v;
    s->upcall_root = 0;
    s->ring = VCPU_IN_RING3;
    s->regs = (struct uregs *)&v->run->s.regs.regs;
    *s->regs = (struct uregs){.rflags = FLAGS_FIXED | FLAGS_IF};
    return 0;
}

static bool pushes_error(u32 vector)
{
    return 0x60227d00u >> vector & 1;
}

// The frame that an exception left on the vCPU's kernel stack.
static bool read_frame(struct vcpu_state *s, struct vcpu_why *why)
{
    u64 offset = s->regs->rsp - s->v->page_gva;
    u64 frame[6];
    bool has_error = why->vector < 32 && pushes_error(why->vector);
    u64 size = has_error ? 48 : 40;
    if (offset + size != PAGE)
        return false;
    memcpy(frame + !has_error, s->v->page + offset, size);
    why->error = has_error ? (u32)frame[0] : 0;
    s->regs->rip = frame[1];
    s->regs->rflags = frame[3];
    s->regs->rsp = frame[4];
    return frame[2] == SELECTOR_USER_CODE;
}

static void take_exception(struct vcpu_state *s, struct vcpu_why *why)
{
    why->vector = (u32)(s->regs->rip - 1 - GUEST_STUBS) / 16;
    why->exit = !read_frame(s, why) ? VCPU_DEAD : why->vector == 14 ? VCPU_PAGE_FAULT : VCPU_FAULT;
    if (why->exit == VCPU_PAGE_FAULT) {
        struct kvm_sregs sregs;
        vcpu_ioctl(s->v, KVM_GET_SREGS, &sregs);
        why->address = sregs.cr2;
    }
}

static void take_halt(struct vcpu_state *s, struct vcpu_why *why)
{
    u64 at = s->regs->rip - 1;
    s->ring = VCPU_IN_RING0;
    if (at == GUEST_SYSCALL) {
        why->exit = VCPU_CALL;
        s->regs->rip = s->regs->rcx;
        s->regs->rflags = s->regs->r11;
    } else if (at >= GUEST_STUBS && at < GUEST_STUBS + PAGE) {
        take_exception(s, why);
    }
}

// The door is a write of one byte; the program may write there by itself, which is a call too.
static void take_access(struct vcpu_state *s, struct vcpu_why *why)
{
    const struct kvm_run *run = s->v->run;
    bool is_door = run->mmio.phys_addr >> 12 == GUEST_DOOR_GPA >> 12 && run->mmio.is_write;
    s->ring = VCPU_IN_RING3;
    why->exit = is_door ? VCPU_CALL : VCPU_BUS;
    if (is_door)
        s->regs->rip = s->regs->rcx;
}

static bool is_canonical(u64 address)
{
    return (u64)((s64)(address << 16) >> 16) == address;
}

// From ring 0 a program is returned to as processors do: by sysretq after a system call whose
// registers were not changed, else by iretq, with the frame at the top of the kernel stack.
static void enter(struct vcpu_state *s)
{
    struct uregs *r = s->regs;
    s->before = *r;
    s->v->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
    if (s->ring == VCPU_IN_RING3)
        return;
    if (r->rip == r->rcx && r->rflags == r->r11 && r->rip >> 47 == 0) {
        r->rip = GUEST_SYSRET;
    } else {
        u64 frame[5] = {r->rip, SELECTOR_USER_CODE, r->rflags, r->rsp, SELECTOR_USER_DATA};
        memcpy(s->v->page + PAGE - sizeof(frame), frame, sizeof(frame));
        r->rip = GUEST_IRET;
        r->rsp = s->v->page_gva + PAGE - sizeof(frame);
    }
    r->rflags = FLAGS_FIXED;
}

// The gate has changed rax at most, and the fault comes again.
static bool undo_upcall(struct vcpu_state *s)
{
    const u64 *frame = (const u64 *)(const void *)(s->v->page + PAGE) - 6;
    enum { AFTER_CR2 = 4 };
    if (s->regs->rip >= GUEST_UPCALL + AFTER_CR2)
        s->regs->rax = frame[-1];
    s->regs->rip = frame[1];
    s->regs->rflags = frame[3];
    s->regs->rsp = frame[4];
    return true;
}

// KVM knows of an exception that it has not brought to the guest yet. It is the instruction's that
// caused it, and goes first.
static bool holds_exception(const struct vcpu_state *s)
{
    struct kvm_vcpu_events e;
    return vcpu_ioctl(s->v, KVM_GET_VCPU_EVENTS, &e) == 0 &&
           (e.exception.injected || e.exception.pending);
}

// Between an exception and the `hlt` behind it nothing can be told yet, and the way out of ring 0
// may not have begun.
static bool undo_entry(struct vcpu_state *s, struct vcpu_why *why)
{
    u64 at = s->regs->rip;
    if (holds_exception(s))
        return false;
    if (at < GUEST_KERNEL) {
        s->ring = VCPU_IN_RING3;
        if (at == GUEST_DOOR_CODE)
            s->regs->rip = s->regs->rcx - 2;
        return true;
    }
    if (at >= GUEST_UPCALL && at < GUEST_UPCALL + 16) {
        s->ring = VCPU_IN_RING0;
        return undo_upcall(s);
    }
    if (at != GUEST_SYSRET && at != GUEST_IRET)
        return false;
    *s->regs = s->before;
    return true;
}

static bool take_exit(struct vcpu_state *s, struct vcpu_why *why, long ret)
{
    const struct kvm_run *run = s->v->run;
    *why = (struct vcpu_why){.exit = VCPU_DEAD, .reason = run->exit_reason, .code = ret};
    s->n_exits++;
    if (ret == -EINTR) {
        why->exit = VCPU_SIGNAL;
        return undo_entry(s, why);
    }
    if (ret == -EFAULT) {
        s->ring = VCPU_IN_RING3;
        why->exit = s->regs->rip < GUEST_KERNEL ? VCPU_BUS : VCPU_DEAD;
    } else if (ret == 0 && run->exit_reason == KVM_EXIT_HLT) {
        take_halt(s, why);
    } else if (ret == 0 && run->exit_reason == KVM_EXIT_MMIO) {
        take_access(s, why);
    }
    return true;
}

// KVM starts a thread of its own when a VM first runs; where the number of processes is limited it
// may have to wait for others to end.
static long run_once(struct vcpu_state *s, u32 tries)
{
    long ret = raw(SYS_ioctl, s->v->fd, KVM_RUN, 0);
    for (u32 i = 0; ret == -EAGAIN && i < tries; i++) {
        struct timespec pause = {0, 1000000L << i};
        pause.tv_sec = pause.tv_nsec / 1000000000;
        pause.tv_nsec %= 1000000000;
        raw(SYS_nanosleep, &pause, 0);
        ret = raw(SYS_ioctl, s->v->fd, KVM_RUN, 0);
    }
    return ret;
}

int vcpu_try(struct vcpu_state *s)
{
    enum { FEW_TRIES = 5 };
    s->v->run->immediate_exit = 1;
    long ret = run_once(s, FEW_TRIES);
    s->v->run->immediate_exit = 0;
    return ret == -EINTR ? 0 : (int)ret;
}

void vcpu_run(struct vcpu_state *s, struct vcpu_why *why)
{
    enum { TRIES = 11 };
    if (s->native) {
        s->n_exits++;
        native_run(s->native, why);
        return;
    }
    struct kvm_run *run = s->v->run;
    if (!is_canonical(s->regs->rip) && s->ring == VCPU_IN_RING0) {
        *why = (struct vcpu_why){.exit = VCPU_FAULT, .vector = 13};
        return;
    }
    enter(s);
    for (;;) {
        long ret = run_once(s, TRIES);
        if (take_exit(s, why, ret))
            return;
        run->immediate_exit = 0;
    }
}

void vcpu_at_probe(struct vcpu_state *s)
{
    s->regs->rip = GUEST_PROBE;
}

const char *vcpu_way(const struct vcpu_model *m)
{
    return vcpu_enters_kernel(m) ? "system calls enter ring 0" : "system calls enter ring 3";
}

bool vcpu_enters_kernel(const struct vcpu_model *m)
{
    return m->flavour == VCPU_RING0_ENTRY;
}

int vcpu_probe(struct vcpu_state *s, struct vcpu_model *m)
{
    struct vcpu_why why;
    if (m->flavour != VCPU_UNKNOWN)
        return 0;
    vcpu_at_probe(s);
    do
        vcpu_run(s, &why);
    while (why.exit == VCPU_SIGNAL);
    if (why.exit == VCPU_CALL)
        m->flavour = VCPU_RING0_ENTRY;
    else if (why.exit == VCPU_PAGE_FAULT && why.address == GUEST_SYSCALL)
        m->flavour = VCPU_RING3_ENTRY;
    else
        return -ENOSYS;
    return (int)set_entry(s->v, m);
}

int vcpu_use_root(struct vcpu_state *s, u64 root_gpa)
{
    struct kvm_sregs sregs;
    long ret = vcpu_ioctl(s->v, KVM_GET_SREGS, &sregs);
    sregs.cr3 = root_gpa;
    sregs.idt.base = s->upcall_root == root_gpa ? GUEST_UPCALL_IDT : GUEST_IDT;
    return ret < 0 ? (int)ret : (int)vcpu_ioctl(s->v, KVM_SET_SREGS, &sregs);
}

int vcpu_map_upcall_gates(struct pagetable *pt)
{
    const u64 *present = pagetable_entry(pt, GUEST_UPCALL_IDT);
    if (present && *present & PTE_PRESENT)
        return 0;
    u64 *idt = pagetable_page(pt);
    if (!idt)
        return -ENOMEM;
    write_idt(idt);
    write_gate(idt, 14, GUEST_UPCALL);
    return pagetable_map(pt, GUEST_UPCALL_IDT, pagetable_page_gpa(pt, idt), PTE_NX);
}

int vcpu_use_upcalls(struct vcpu_state *s, u64 root_gpa)
{
    s->upcall_root = root_gpa;
    int ret = vcpu_use_root(s, root_gpa);
    s->upcall_root = ret ? 0 : root_gpa;
    return ret;
}

int vcpu_set_privilege(struct vcpu_state *s, bool on)
{
    return -EOPNOTSUPP;
}
