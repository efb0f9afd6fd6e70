// SPDX-License-Identifier: Apache-2.0
// Rights of page tables, and compartments: other tables that a thread runs a function on.
#include "dune/calls.h"
#include "dune/lib.h"
#include "dune/lib_entry.h"
#include "dune/process.h"
#include "dune/signals.h"
#include "dune/space.h"
#include "dune/thread.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { RIGHTS = PROT_READ | PROT_WRITE | PROT_EXEC };

static void write_entries(struct pagetable *pt, u64 at, u64 size, u64 rights)
{
    for (u64 va = at; va < at + size; va += SPACE_PAGE) {
        u64 *entry = pagetable_entry(pt, va);
        u64 address = *entry & PTE_ADDRESS ? *entry & PTE_ADDRESS : slots_gpa(pt->slots, va);
        __atomic_store_n(entry, pte_with(address, rights), __ATOMIC_RELEASE);
    }
    pagetable_note_change(pt);
}

static bool has_tables(struct pagetable *pt, u64 at, u64 size)
{
    for (u64 va = at; va < at + size; va = (va | (PAGETABLE_GRANULE - 1)) + 1)
        if (!pagetable_entry(pt, va) && pagetable_fill(pt, va) < 0)
            return false;
    return true;
}

// KVM drops what it derived from an entry, and other threads' vCPUs what they keep of it, only when
// the kernel's own mapping changes; so that is changed, and changed back.
static long drop_derived(u64 at, u64 size)
{
    long ret = raw(SYS_mprotect, at, size, PROT_READ);
    return ret < 0 ? ret : raw(SYS_mprotect, at, size, PROT_READ | PROT_WRITE);
}

long lib_set_rights(struct thread *t, struct pagetable *pt, u64 at, u64 size, u64 rights)
{
    struct space *s = t->process->space;
    if ((at | size) & (SPACE_PAGE - 1) || rights & ~(u64)RIGHTS || !space_holds(at, size))
        return -EINVAL;
    lock_take(&s->lock);
    long ret = has_tables(pt, at, size) ? 0 : -ENOMEM;
    if (!ret) {
        write_entries(pt, at, size, rights);
        if (!(rights & PROT_WRITE) && (ARCH_MAY_SHADOW || t->process->n_threads > 1))
            ret = drop_derived(at, size);
    }
    lock_drop(&s->lock);
    return ret;
}

bool lib_space_fault(struct thread *t, u64 address)
{
    struct space *s = t->process->space;
    struct pagetable *pt = t->process->lib->spaces + t->lib.space;
    lock_take(&s->lock);
    bool is_new = space_holds(address, 1) && !pagetable_entry(pt, address) &&
                  pagetable_fill(pt, address) == 0;
    lock_drop(&s->lock);
    return is_new;
}

static struct pagetable *space_of(struct thread *t, u64 space)
{
    struct lib *lib = t->process->lib;
    return space >= 1 && space < LIB_SPACES && lib->has_space[space] ? lib->spaces + space : NULL;
}

long lib_space_new(struct thread *t)
{
    struct lib *lib = t->process->lib;
    struct space *s = t->process->space;
    long ret = -EMFILE;
    lock_take(&s->lock);
    for (u32 i = 1; i < LIB_SPACES && ret == -EMFILE; i++) {
        if (lib->has_space[i])
            continue;
        ret = pagetable_clone(&s->tables, lib->spaces + i);
        lib->has_space[i] = !ret;
        ret = ret ? ret : (long)i;
    }
    lock_drop(&s->lock);
    return ret;
}

long lib_space_protect(struct thread *t, u64 space, u64 at, u64 size, u64 rights)
{
    struct pagetable *pt = space_of(t, space);
    return pt ? lib_set_rights(t, pt, at, size, rights) : -EINVAL;
}

long lib_space_free(struct thread *t, u64 space)
{
    struct pagetable *pt = space_of(t, space);
    if (!pt)
        return -EINVAL;
    lock_take(&t->process->space->lock);
    pagetable_free_clone(pt);
    t->process->lib->has_space[space] = false;
    lock_drop(&t->process->space->lock);
    return 0;
}

// Arguments: compartment, function, argument, top of the stack, where the result goes, and the code
// of the library that gives the result back.
long lib_space_call(struct thread *t, const u64 a[6])
{
    struct pagetable *pt = space_of(t, a[0]);
    if (!pt)
        return -EINVAL;
    memcpy(&t->lib.caller, t->regs, sizeof(t->lib.caller));
    t->lib.space = (int)a[0];
    t->lib.result_at = a[4];
    if (vcpu_use_root(&t->vcpu, pagetable_root_gpa(pt)) < 0)
        return -EIO;
    regs_enter(t->regs, a[5], (a[3] & ~15ULL) - 16, a[2], 0, a[1]);
    return CALL_DONE;
}

// The same on the present tables, with privileges; no compartment has its number.
long lib_privileged_call(struct thread *t, const u64 a[6])
{
    int ret = vcpu_set_privilege(&t->vcpu, true);
    if (ret < 0)
        return ret;
    memcpy(&t->lib.caller, t->regs, sizeof(t->lib.caller));
    t->lib.space = LIB_PRIVILEGED;
    t->lib.result_at = a[4];
    regs_enter(t->regs, a[5], (a[3] & ~15ULL) - 16, a[2], 0, a[1]);
    return CALL_DONE;
}

long lib_space_return(struct thread *t, u64 value, long status)
{
    int ret = t->lib.space == LIB_PRIVILEGED
                  ? vcpu_set_privilege(&t->vcpu, false)
                  : vcpu_use_root(&t->vcpu, pagetable_root_gpa(&t->process->space->tables));
    if (ret < 0)
        signals_die(SIGKILL);
    memcpy(t->regs, &t->lib.caller, sizeof(t->lib.caller));
    t->lib.space = 0;
    if (!status && t->lib.result_at && guest_write(t->lib.result_at, &value, sizeof(value)))
        status = -EFAULT;
    regs_set_result(t->regs, (u64)status);
    return CALL_DONE;
}
