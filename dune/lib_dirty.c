// SPDX-License-Identifier: Apache-2.0
// The log of pages that were written: KVM's for what the guest writes, and one of our own for what
// the kernel writes on behalf of calls that are forwarded, which KVM does not see.
#include "dune/arguments.h"
#include "dune/calls.h"
#include "dune/lib.h"
#include "dune/process.h"
#include "dune/space.h"
#include "dune/thread.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static u64 pages_of(const struct lib *lib)
{
    return lib->dirty_size / SPACE_PAGE;
}

static long log_slot(struct space *s, const struct slot *slot, bool on)
{
    struct kvm_userspace_memory_region region = {.slot = (u32)(slot - s->slots.list),
                                                 .flags = on ? KVM_MEM_LOG_DIRTY_PAGES : 0,
                                                 .guest_phys_addr = slot->gpa,
                                                 .memory_size = slot->size,
                                                 .userspace_addr = slot->hva};
    return raw(SYS_ioctl, s->vm.vm_fd, KVM_SET_USER_MEMORY_REGION, &region);
}

// Calls back for each slot of the region, which there is one of for each chunk.
static long for_each_slot(struct thread *t,
                          long (*act)(struct thread *, const struct slot *, void *), void *opaque)
{
    struct space *s = t->process->space;
    const struct lib *lib = t->process->lib;
    for (u64 at = lib->dirty_at; at < lib->dirty_at + lib->dirty_size;) {
        const struct slot *slot = slots_gpa(&s->slots, at) ? slots_find(&s->slots, at) : NULL;
        long ret = slot ? act(t, slot, opaque) : -ENOMEM;
        if (ret < 0)
            return ret;
        at = slot->hva + slot->size;
    }
    return 0;
}

static long switch_on(struct thread *t, const struct slot *slot, void *opaque)
{
    return log_slot(t->process->space, slot, true);
}

static long switch_off(struct thread *t, const struct slot *slot, void *opaque)
{
    return log_slot(t->process->space, slot, false);
}

long lib_dirty_begin(struct thread *t, u64 at, u64 size)
{
    struct lib *lib = t->process->lib;
    if (lib->dirty_size)
        return -EBUSY;
    if ((at | size) & (SPACE_PAGE - 1) || !size || !space_holds(at, size))
        return -EINVAL;
    lib->written = raw_pages(size / SPACE_PAGE / 8 + 8);
    if (!lib->written)
        return -ENOMEM;
    lock_take(&t->process->space->lock);
    lib->dirty_at = at;
    lib->dirty_size = size;
    long ret = for_each_slot(t, switch_on, NULL);
    lock_drop(&t->process->space->lock);
    if (ret < 0)
        lib_dirty_end(t);
    return ret;
}

long lib_dirty_end(struct thread *t)
{
    struct lib *lib = t->process->lib;
    if (!lib->dirty_size)
        return -EINVAL;
    lock_take(&t->process->space->lock);
    for_each_slot(t, switch_off, NULL);
    raw_pages_free(lib->written, pages_of(lib) / 8 + 8);
    lib->dirty_size = 0;
    lock_drop(&t->process->space->lock);
    return 0;
}

static void mark(struct lib *lib, u64 at, u64 size)
{
    u64 end = at + size, limit = lib->dirty_at + lib->dirty_size;
    at = at > lib->dirty_at ? at & ~(SPACE_PAGE - 1) : lib->dirty_at;
    for (; at < end && at < limit; at += SPACE_PAGE) {
        u64 page = (at - lib->dirty_at) / SPACE_PAGE;
        __atomic_fetch_or(lib->written + page / 64, 1ULL << page % 64, __ATOMIC_RELAXED);
    }
}

static void mark_vector(struct lib *lib, u64 at, u64 n)
{
    struct iovec v;
    for (u64 i = 0; i < n && i < 1024; i++)
        if (!guest_read(&v, at + i * sizeof(v), sizeof(v)))
            mark(lib, (u64)v.iov_base, v.iov_len);
}

static void mark_message(struct lib *lib, u64 at)
{
    struct msghdr m;
    if (guest_read(&m, at, sizeof(m)))
        return;
    mark_vector(lib, (u64)m.msg_iov, m.msg_iovlen);
    mark(lib, (u64)m.msg_name, m.msg_namelen);
    mark(lib, (u64)m.msg_control, m.msg_controllen);
}

// Structures that a pointer leads to are taken for a page each.
void lib_dirty_note(struct thread *t, u64 number, const u64 a[6], long result)
{
    struct lib *lib = t->process->lib;
    const struct call *c = lib->dirty_size ? calls_find(number) : NULL;
    const char *kinds = c ? c->arguments : "";
    u32 size_at;
    char kind;
    if (raw_failed(result))
        return;
    for (u32 i = 0; i < 6 && (kind = arguments_next(&kinds, &size_at)); i++) {
        if (kind == 'r')
            mark(lib, a[i], a[size_at]);
        else if (kind == 'p' || kind == 'x')
            mark(lib, a[i], SPACE_PAGE);
        else if (kind == 'v')
            mark_vector(lib, a[i], a[size_at]);
    }
    if (c && (number == SYS_recvmsg || number == SYS_recvmmsg))
        mark_message(lib, a[1]);
}

static bool take_bit(u64 *bits, u64 i)
{
    u64 mask = 1ULL << i % 64;
    bool was = bits[i / 64] & mask;
    bits[i / 64] &= ~mask;
    return was;
}

struct collecting {
    u64 *bits; // of the region
    u64 *log;  // of one slot
};

static long collect_slot(struct thread *t, const struct slot *slot, void *opaque)
{
    const struct lib *lib = t->process->lib;
    struct space *s = t->process->space;
    struct collecting *c = opaque;
    struct kvm_dirty_log log = {.slot = (u32)(slot - s->slots.list), .dirty_bitmap = c->log};
    long ret = raw(SYS_ioctl, s->vm.vm_fd, KVM_GET_DIRTY_LOG, &log);
    u64 start = slot->hva > lib->dirty_at ? slot->hva : lib->dirty_at;
    u64 end = slot->hva + slot->size, limit = lib->dirty_at + lib->dirty_size;
    for (u64 at = start; ret >= 0 && at < end && at < limit; at += SPACE_PAGE) {
        u64 in_slot = (at - slot->hva) / SPACE_PAGE, page = (at - lib->dirty_at) / SPACE_PAGE;
        if (!in_slot || in_slot % 64 || c->log[in_slot / 64]) {
            if (c->log[in_slot / 64] >> in_slot % 64 & 1)
                c->bits[page / 64] |= 1ULL << page % 64;
        } else if (at + 64 * SPACE_PAGE <= end) {
            at += 63 * SPACE_PAGE;
        }
    }
    return ret;
}

long lib_dirty_collect(struct thread *t, u64 bitmap)
{
    struct lib *lib = t->process->lib;
    struct space *s = t->process->space;
    u64 n = pages_of(lib), bits_size = n / 8 + 8, log_size = s->slots.chunk_size / SPACE_PAGE / 8;
    struct collecting c = {raw_pages(bits_size), raw_pages(log_size)};
    long ret = !lib->dirty_size ? -EINVAL : !c.bits || !c.log ? -ENOMEM : 0;
    lock_take(&s->lock);
    ret = ret ? ret : for_each_slot(t, collect_slot, &c);
    for (u64 i = 0; ret >= 0 && i < n; i++)
        if (lib->written[i / 64] && take_bit(lib->written, i))
            c.bits[i / 64] |= 1ULL << i % 64;
    lock_drop(&s->lock);
    u64 n_written = 0;
    for (u64 i = 0; i < (n + 63) / 64 && ret >= 0; i++)
        n_written += (u64)__builtin_popcountll(c.bits[i]);
    if (ret >= 0 && guest_write(bitmap, c.bits, (n + 63) / 64 * 8))
        ret = -EFAULT;
    raw_pages_free(c.bits, bits_size);
    raw_pages_free(c.log, log_size);
    return ret < 0 ? ret : (long)n_written;
}
