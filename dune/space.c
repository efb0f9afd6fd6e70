// SPDX-License-Identifier: Apache-2.0
// Each change is made in this order: rights that go are taken out of the page tables, the kernel
// changes its mapping, the account follows, and the tables are written again from the account.
#include "dune/space.h"
#include "dune/hidden.h"

#include <errno.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#define LOW_TOP 0x80000000ULL

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static u64 border = SPACE_END;

bool space_holds(u64 at, u64 size)
{
    return at <= border && size <= border - at;
}

void space_open_border(void)
{
    border = ARCH_TASK_END;
}

enum { PROT_BITS = PROT_READ | PROT_WRITE | PROT_EXEC };

static void show(struct space *s, u64 start, u64 end)
{
    if (s->has_vm)
        pagetable_sync(&s->tables, start, end);
}

static void hide(struct space *s, u64 start, u64 end, u32 prot)
{
    if (s->has_vm)
        pagetable_restrict(&s->tables, start, end, prot);
}

static u64 choose_place(struct space *s, u64 hint, u64 size, int flags)
{
    u64 align = flags & MAP_HUGETLB || size >= ARCH_HUGE_PAGE ? ARCH_HUGE_PAGE : SPACE_PAGE;
    if (flags & MAP_32BIT)
        return vma_gap_below(&s->vmas, LOW_TOP / 2, LOW_TOP, size, align);
    hint &= ~(SPACE_PAGE - 1);
    if (hint >= SPACE_START && space_holds(hint, size) &&
        vma_is_free(&s->vmas, hint, hint + size) &&
        !(flags & MAP_HUGETLB && hint & (ARCH_HUGE_PAGE - 1)))
        return hint;
    u64 at = vma_gap_below(&s->vmas, SPACE_START, s->map_top, size, align);
    return at ? at : vma_gap_below(&s->vmas, SPACE_START, SPACE_END - ARCH_HUGE_PAGE, size, align);
}

static long map_at(struct space *s, u64 at, u64 size, int prot, int flags, int fd, u64 offset)
{
    if (flags & MAP_FIXED)
        hide(s, at, at + size, (u32)prot);
    long ret = raw(SYS_mmap, at, size, prot, flags & ~(MAP_GROWSDOWN | MAP_32BIT), fd, offset);
    if (!raw_failed(ret) && (u64)ret != at) {
        raw(SYS_munmap, ret, size);
        ret = -EEXIST;
    }
    if (!raw_failed(ret) && !vma_set(&s->vmas, at, at + size, (u32)prot & PROT_BITS)) {
        raw(SYS_munmap, at, size);
        vma_clear(&s->vmas, at, at + size);
        ret = -ENOMEM;
    }
    show(s, at, at + size);
    return ret;
}

long space_map(struct space *s, u64 at, u64 size, int prot, int flags, int fd, u64 offset)
{
    bool is_fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    u64 unit = flags & MAP_HUGETLB ? ARCH_HUGE_PAGE : SPACE_PAGE;
    if (!size || (is_fixed && at & (SPACE_PAGE - 1)))
        return -EINVAL;
    if (size > SPACE_END)
        return -ENOMEM;
    size = (size + unit - 1) & ~(unit - 1);
    if (is_fixed && !space_holds(at, size))
        return -ENOMEM;
    lock_take(&s->lock);
    if (!is_fixed) {
        at = choose_place(s, at, size, flags);
        flags |= MAP_FIXED_NOREPLACE;
    }
    long ret = at || is_fixed ? map_at(s, at, size, prot, flags, fd, offset) : -ENOMEM;
    lock_drop(&s->lock);
    return ret;
}

long space_unmap(struct space *s, u64 at, u64 size)
{
    size = space_page_up(size);
    if (at & (SPACE_PAGE - 1) || !size || !space_holds(at, size))
        return -EINVAL;
    lock_take(&s->lock);
    hide(s, at, at + size, PROT_NONE);
    long ret = raw(SYS_munmap, at, size);
    if (ret == 0)
        vma_clear(&s->vmas, at, at + size);
    else
        show(s, at, at + size);
    lock_drop(&s->lock);
    return ret;
}

// The kernel changes what comes before a hole and then reports the hole.
static u64 covered_end(const struct space *s, u64 start, u64 end)
{
    u64 at = start;
    for (const struct vma *v; at < end && (v = vma_find(&s->vmas, at));)
        at = v->end;
    return at < end ? at : end;
}

long space_protect(struct space *s, u64 at, u64 size, int prot)
{
    size = space_page_up(size);
    if (at & (SPACE_PAGE - 1))
        return -EINVAL;
    if (!space_holds(at, size))
        return -ENOMEM;
    lock_take(&s->lock);
    hide(s, at, at + size, (u32)prot);
    long ret = raw(SYS_mprotect, at, size, prot & ~(PROT_GROWSDOWN | PROT_GROWSUP));
    if (ret == 0 || ret == -ENOMEM)
        vma_set(&s->vmas, at, covered_end(s, at, at + size), (u32)prot & PROT_BITS);
    show(s, at, at + size);
    lock_drop(&s->lock);
    return ret;
}

static void account_remap(struct space *s, u64 at, u64 old_size, u64 size, u64 to, bool keeps_old)
{
    const struct vma *v = vma_find(&s->vmas, at);
    u32 prot = v ? v->prot : PROT_READ | PROT_WRITE;
    if (to == at) {
        if (size < old_size)
            vma_clear(&s->vmas, at + size, at + old_size);
        else
            vma_set(&s->vmas, at, at + size, prot);
        return;
    }
    vma_set(&s->vmas, to, to + size, prot);
    if (old_size && !keeps_old)
        vma_clear(&s->vmas, at, at + old_size);
}

static long remap_locked(struct space *s, u64 at, u64 old_size, u64 size, int flags, u64 to)
{
    bool keeps_old = flags & MREMAP_DONTUNMAP;
    hide(s, at, at + old_size, PROT_NONE);
    if (flags & MREMAP_FIXED)
        hide(s, to, to + size, PROT_NONE);
    long ret = -ENOMEM;
    if (!(flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)))
        ret = raw(SYS_mremap, at, old_size, size, 0, 0);
    if (ret == -ENOMEM && flags & MREMAP_MAYMOVE) {
        u64 place = flags & MREMAP_FIXED ? to : choose_place(s, 0, size, 0);
        ret = place ? raw(SYS_mremap, at, old_size, size, flags | MREMAP_FIXED, place) : -ENOMEM;
    }
    if (!raw_failed(ret))
        account_remap(s, at, old_size, size, (u64)ret, keeps_old);
    show(s, at, at + (old_size > size ? old_size : size));
    if (!raw_failed(ret) && (u64)ret != at)
        show(s, (u64)ret, (u64)ret + size);
    else if (flags & MREMAP_FIXED)
        show(s, to, to + size);
    return ret;
}

long space_remap(struct space *s, u64 at, u64 old_size, u64 size, int flags, u64 to)
{
    old_size = space_page_up(old_size);
    size = space_page_up(size);
    if (at & (SPACE_PAGE - 1) || !size || flags & ~7 ||
        (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE)) ||
        (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && to & (SPACE_PAGE - 1)) ||
        (flags & MREMAP_FIXED && !space_holds(to, size)))
        return -EINVAL;
    if (!space_holds(at, old_size) || !space_holds(at, size))
        return -EFAULT;
    lock_take(&s->lock);
    // The kernel may only grow into what is free and the guest's.
    long ret = remap_locked(s, at, old_size, size, flags, to);
    lock_drop(&s->lock);
    return ret;
}

static void move_brk(struct space *s, u64 to)
{
    u64 old_end = space_page_up(s->brk), end = space_page_up(to);
    long ret = 0;
    if (end < old_end) {
        hide(s, end, old_end, PROT_NONE);
        ret = raw(SYS_munmap, end, old_end - end);
        vma_clear(&s->vmas, end, old_end);
    } else if (end > old_end) {
        ret = vma_is_free(&s->vmas, old_end, end)
                  ? map_at(s, old_end, end - old_end, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0)
                  : -ENOMEM;
    }
    if (!raw_failed(ret))
        s->brk = to;
}

static bool brk_is_allowed(u64 size)
{
    struct {
        u64 soft, hard;
    } limit;
    enum { LIMIT_DATA = 2 };
    return raw(SYS_prlimit64, 0, LIMIT_DATA, 0, &limit) < 0 || size <= limit.soft;
}

long space_brk(struct space *s, u64 to)
{
    lock_take(&s->lock);
    if (to >= s->brk_start && space_holds(to, SPACE_PAGE) && brk_is_allowed(to - s->brk_start))
        move_brk(s, to);
    long ret = (long)s->brk;
    lock_drop(&s->lock);
    return ret;
}

static struct attachment *attachment_at(struct space *s, u64 at)
{
    for (u32 i = 0; i < SPACE_SHARED; i++)
        if (s->shared[i].at == at && (!at || s->shared[i].size))
            return s->shared + i;
    return NULL;
}

long space_attach(struct space *s, int id, u64 at, int flags)
{
    struct shmid_ds info;
    long ret = raw(SYS_shmctl, id, IPC_STAT, &info);
    if (ret < 0)
        return ret;
    u64 size = space_page_up(info.shm_segsz);
    at = flags & SHM_RND ? at & ~(SPACE_PAGE - 1) : at;
    if (at & (SPACE_PAGE - 1) || !space_holds(at, size))
        return -EINVAL;
    lock_take(&s->lock);
    struct attachment *a = attachment_at(s, 0);
    bool may_place = !at || flags & SHM_REMAP || vma_is_free(&s->vmas, at, at + size);
    at = at ? at : choose_place(s, 0, size, 0);
    ret = !a || !at ? -ENOMEM : !may_place ? -EINVAL : 0;
    if (!ret)
        ret = raw(SYS_shmat, id, at, (flags & ~SHM_RND));
    if (!raw_failed(ret)) {
        u32 prot =
            PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) | (flags & SHM_EXEC ? PROT_EXEC : 0);
        *a = (struct attachment){at, size};
        vma_set(&s->vmas, at, at + size, prot);
        show(s, at, at + size);
    }
    lock_drop(&s->lock);
    return ret;
}

long space_detach(struct space *s, u64 at)
{
    lock_take(&s->lock);
    struct attachment *a = at ? attachment_at(s, at) : NULL;
    long ret = a ? raw(SYS_shmdt, at) : -EINVAL;
    if (ret == 0) {
        hide(s, at, at + a->size, PROT_NONE);
        vma_clear(&s->vmas, at, at + a->size);
        *a = (struct attachment){0};
    }
    lock_drop(&s->lock);
    return ret;
}

static bool allows(u32 prot, u32 wanted)
{
    if (wanted & PROT_EXEC)
        return prot & PROT_EXEC;
    return wanted & PROT_WRITE ? prot & PROT_WRITE : prot & PROT_BITS;
}

int space_fault(struct space *s, u64 at, u32 prot_wanted)
{
    int ret;
    lock_take(&s->lock);
    const struct vma *v = space_holds(at, 1) ? vma_find(&s->vmas, at) : NULL;
    const u64 *entry = s->is_flat ? pagetable_entry(&s->tables, at) : NULL;
    if (s->is_flat && space_holds(at, 1))
        ret = entry && *entry & PTE_ADDRESS && !pte_grants(*entry, prot_wanted) ? SEGV_ACCERR
              : pagetable_fill_page(&s->tables, at) < 0                         ? SEGV_ACCERR
                                                                                : 0;
    else if (!v)
        ret = SEGV_MAPERR;
    else if (!allows(v->prot, prot_wanted) || pagetable_fill(&s->tables, at) < 0)
        ret = SEGV_ACCERR;
    else
        ret = 0;
    lock_drop(&s->lock);
    return ret;
}

static int map_vdso(struct space *s)
{
    if (!s->vdso)
        return 0;
    bool is_known = slots_find(&s->slots, s->vdso); // with other things of the monitor's
    int ret = is_known ? 0 : slots_add(&s->slots, s->vdso, s->vdso_size);
    for (u64 at = 0; at < s->vdso_size && !ret; at += SPACE_PAGE)
        ret = pagetable_map(&s->tables, s->vdso + at, slots_gpa(&s->slots, s->vdso + at), PTE_USER);
    return ret;
}

int space_open_vm(struct space *s, int kvm_fd, struct hidden *hidden, u64 chunk_size,
                  const char **what)
{
    slots_init(&s->slots, chunk_size, vm_add_slot, &s->vm);
    *what = "create a virtual machine";
    int ret = vm_open(&s->vm, kvm_fd, hidden);
    if (ret < 0)
        return ret;
    *what = "make the guest's tables";
    ret = pagetable_init(&s->tables, &s->slots, &s->vmas);
    s->tables.is_flat = s->is_flat;
    ret = ret ? ret : vcpu_model_init(&s->model, &s->vm, &s->tables);
    if (ret < 0)
        return ret;
    *what = "show the guest the kernel's vDSO";
    ret = map_vdso(s);
    s->has_vm = !ret;
    return ret;
}

int space_open_vm_again(struct space *s)
{
    int ret = vm_open_again(&s->vm);
    return ret < 0 ? ret : slots_replay(&s->slots);
}
