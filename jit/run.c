// SPDX-License-Identifier: Apache-2.0
// The run loop around translated code.
//
// Translated code runs from block to block by itself. It comes back here for a target that it does
// not know, for a request that it saw at a poll, and for instructions that the interpreter has to
// execute; exceptions come back through c->leave, as in the interpreter.
#include "jit/cache.h"
#include "cpu/loongarch64/access.h"
#include "jit/x86_64/state.h"
#include "base/bug.h"

#include <string.h>

// Interpreted in one go where there is nothing to translate: firmware in flash, unusual modes.
#define N_INTERPRETED 256
#define N_DISTURBED   16

static struct jit *jit_of(struct la_cpu *c)
{
    return c->code.vcpu->jit;
}

static u32 mxcsr_of(u32 fcsr)
{
    static const u8 rounding[] = {0, 3, 2, 1}; // nearest, zero, up, down
    return 0x1f80 | (u32)rounding[fcsr >> 8 & 3] << 13;
}

// After an atomic access to a page with translations, which is not seen as other stores are.
static void tell_written(struct la_cpu *c)
{
    u64 pa = c->code.written;
    c->code.written = 0;
    mem_written(c->cpu.bus->mem, pa, 16);
}

// What C sees, and what an exception leaves: without the instruction that executes.
static void count_up_to(struct la_cpu *c, unsigned n_ahead)
{
    if (!n_ahead)
        return;
    c->cpu.n_insns = c->code.n_end - (u64)c->code.left - n_ahead;
    c->code.n_back = n_ahead - 1;
}

// As la_raise, but without the way through the run loop.
static bool raises_itself(struct la_cpu *c, unsigned op)
{
    if (op != LA_SYSCALL || c->code.vcpu->jit->options.count)
        return false;
    la_enter_exception(c, EXC_SYS, 0, false);
    return true;
}

void jit_execute(struct la_cpu *c, const struct jit_call *x)
{
    c->code.vcpu->n_calls++;
    count_up_to(c, x->n_ahead);
    c->pc = c->code.pc_base + x->offset;
    c->next_pc = c->pc + 4;
    c->insn = x->insn.raw;
    if (!raises_itself(c, x->insn.op))
        x->execute(c, &x->insn);
    if (unlikely(c->code.written))
        tell_written(c);
    if (x->insn.op == LA_IBAR)
        jit_see_code(c);
}

static bool is_within(u64 va, u64 size, unsigned shift)
{
    return (va & (BIT(shift) - 1)) + size <= BIT(shift);
}

// Remembers the page of 16 KiB around `va` if it is mapped as a whole.
static bool fill_page(struct la_cpu *c, u64 va, u8 *host, enum la_access access)
{
    if (la_mmu_page_size(c, va, access) < LA_PAGE_SHIFT || cpu_bus_may_route(c->cpu.bus))
        return false;
    la_slots_put_page(c, va, (u64)(uintptr_t)host - va, access == LA_STORE);
    return true;
}

static void fill_slot(struct la_cpu *c, unsigned slot, u64 base, u64 size, u64 delta)
{
    struct la_slots *s = &c->code.slots[c->code.mode];
    s->base[slot] = base;
    s->delta[slot] = delta;
    s->limit[slot] = size - LA_SLOT_SPAN + 1;
    s->limit8[slot] = size - 7;
    s->is_empty = false;
}

// Slots that miss all the time cost more than they save. They are looked at each so many misses; a
// miss costs about as much as this many ticks of the time stamp between misses would save.
#define MISSES_LOOKED_AT 256
#define TICKS_PER_MISS   150

static void look_at_misses(struct la_cpu *c, const struct jit_access *x)
{
    u64 now = __builtin_ia32_rdtsc(), since = c->code.misses_since[x->slot];
    c->code.misses_left[x->slot] = MISSES_LOOKED_AT;
    c->code.misses_since[x->slot] = now;
    if (since && now - since < MISSES_LOOKED_AT * TICKS_PER_MISS * x->n_ways)
        jit_probe_from_now(c->code.vcpu->jit, x->page, x->offset);
}

// A slot beside code: of the lines around the access that none came from.
static bool fill_beside_code(struct la_cpu *c, const struct jit_access *x, u64 start)
{
    u64 pa;
    u8 *host = la_watched_host(c, start, &pa);
    bool is_whole = la_mmu_page_size(c, start, LA_STORE) >= CODE_PAGE_SHIFT;
    unsigned shift =
        is_whole && !cpu_bus_may_route(c->cpu.bus) ? CODE_PAGE_SHIFT : LA_GRANULE_SHIFT;
    if (!host || !is_within(start, x->span, shift))
        return false;
    const u32 piece = 1u << shift, in_piece = start & (piece - 1);
    u32 first = in_piece, end = in_piece + x->span;
    if (!jit_find_free_lines(c->code.vcpu->jit, pa - in_piece, piece, &first, &end))
        return false;
    c->code.scratch[0] = (u64)(uintptr_t)host - start;
    fill_slot(c, x->slot, start - in_piece + first, end - first, c->code.scratch[0]);
    return true;
}

// As jit_fill.
static bool fill(struct la_cpu *c, const struct jit_access *x, u64 start)
{
    c->pc = c->code.pc_base + x->offset;
    c->next_pc = c->pc + 4;
    c->insn = x->word;
    u64 va = start + (u64)(s64)x->first;
    enum la_access access = x->has_store ? LA_STORE : LA_LOAD;
    if (!is_within(start, x->span, LA_GRANULE_SHIFT + 2) || c->code.vcpu->jit->options.no_slots)
        return false;
    // A store that comes after a load is not tried before its turn: it could raise.
    if (!la_host(c, va, 1, x->is_store ? LA_STORE : LA_LOAD) &&
        !la_fill(c, va, x->is_store ? LA_STORE : LA_LOAD))
        return x->is_store && fill_beside_code(c, x, start);
    u8 *host = la_host(c, va, 1, access);
    if (!host)
        return x->has_store && fill_beside_code(c, x, start);
    unsigned shift = fill_page(c, va, host, access) ? LA_PAGE_SHIFT : LA_GRANULE_SHIFT;
    if (!is_within(start, x->span, shift))
        return false;
    c->code.scratch[0] = (u64)(uintptr_t)host - va;
    fill_slot(c, x->slot, start & ~(BIT(shift) - 1), BIT(shift), c->code.scratch[0]);
    return true;
}

static bool is_time_to_flush(const struct jit *j)
{
    u32 every = j->options.flush_every;
    return every && j->counts.n_blocks % every == every - 1;
}

// Accesses of a page that is as it was when they were translated, in one that nobody waits for.
static bool may_part(const struct jit *j, const struct jit_access *x)
{
    const struct jit_page *p = x->page;
    for (unsigned n = 0; n < x->n_insns; n++)
        if (!jit_has_code(p, x->offset + 4 * n, 4))
            return false;
    return !p->is_unwatched && !j->is_flushing && !is_time_to_flush(j);
}

// Accesses that share a check but lie across the end of a page, where each may be in a known one:
// the interpreter executes them the first few times, a block beside this one from then on.
#define N_CROSSED_PARTED 2

static void note_crossing(struct jit *j, struct la_cpu *c, const struct jit_access *x)
{
    struct jit_access *to_write = (void *)((u8 *)(uintptr_t)x - j->to_run);
    pthread_mutex_lock(&j->lock);
    if (++to_write->n_crossed == N_CROSSED_PARTED && may_part(j, x)) {
        u32 parted = jit_translate_parted(j, c, x->page, x->offset, x->n_insns);
        if (parted)
            emit_patch(j->buffer + x->to_parted, j->buffer + parted);
    }
    pthread_mutex_unlock(&j->lock);
}

static bool can_be_parted(const struct jit *j, const struct jit_access *x, u64 start)
{
    return x->to_parted && !is_within(start, x->span, LA_PAGE_SHIFT) && !j->options.count &&
           !j->options.no_slots;
}

bool jit_fill(struct la_cpu *c, const struct jit_access *x, u64 start)
{
    c->code.vcpu->n_fills++;
    if ((s32)c->code.misses_left[x->slot] <= 0)
        look_at_misses(c, x);
    count_up_to(c, x->n_ahead);
    if (fill(c, x, start))
        return true;
    c->code.left += x->n_ahead;
    if (can_be_parted(c->code.vcpu->jit, x, start))
        note_crossing(c->code.vcpu->jit, c, x);
    return false;
}

// Nothing smaller than a code page maps the direct modes; otherwise the table says.
static bool is_mapped_small(struct la_cpu *c, u64 va, u64 pa)
{
    u64 in_page = CODE_PAGE - 1;
    return la_mmu_page_size(c, va, LA_FETCH) < CODE_PAGE_SHIFT || (va & in_page) != (pa & in_page);
}

// Of code at `va`, which has just been translated to `pa`.
static struct jit_mode mode_of(struct la_cpu *c, u64 va, u64 pa)
{
    bool in_window = c->code.sees_windows && la_mmu_window(c, va) >= 0;
    return (struct jit_mode){.slots = (u8)c->code.mode,
                             .is_small = !in_window && is_mapped_small(c, va, pa),
                             .fp_traps = c->fcsr & 0x1f,
                             .in_window = in_window};
}

// Waits until no processor but the caller's is in translated code, and drops everything. Until then
// none goes in, and none translates: entry_at waits as well.
static void flush_all(struct jit *j, struct la_cpu *c)
{
    j->is_flushing = true;
    for (unsigned i = 0; i < j->n_vcpus; i++)
        cpu_request(&j->vcpus[i].cpu->cpu, CPU_REQ_CODE);
    for (unsigned i = 0; i < j->n_vcpus; i++)
        while (&j->vcpus[i] != c->code.vcpu && j->vcpus[i].is_inside)
            pthread_cond_wait(&j->left, &j->lock);
    jit_drop_all(j);
    jit_obey(c);
    j->is_flushing = false;
    pthread_cond_broadcast(&j->left);
}

// For the owning thread.
static bool is_inside(struct jit_vcpu *v)
{
    return atomic_load_explicit(&v->is_inside, memory_order_relaxed);
}

// Between these two the processor may not be assumed to be outside. It stays inside between two
// pieces of code if nothing comes between them: going in and out costs as much as a short piece.
static void go_inside(struct jit *j, struct jit_vcpu *v)
{
    if (is_inside(v))
        return;
    atomic_store(&v->is_inside, true);
    while (unlikely(j->is_flushing)) {
        pthread_mutex_lock(&j->lock);
        atomic_store(&v->is_inside, false);
        pthread_cond_broadcast(&j->left);
        while (j->is_flushing)
            pthread_cond_wait(&j->left, &j->lock);
        atomic_store(&v->is_inside, true);
        pthread_mutex_unlock(&j->lock);
    }
}

static void go_outside(struct jit *j, struct jit_vcpu *v)
{
    if (!is_inside(v))
        return;
    atomic_store(&v->is_inside, false);
    if (unlikely(j->is_flushing)) {
        pthread_mutex_lock(&j->lock);
        pthread_cond_broadcast(&j->left);
        pthread_mutex_unlock(&j->lock);
    }
}

// The entry at `pa`, translated if need be. From now on as offsets in the buffer.
static u32 entry_at(struct jit *j, struct la_cpu *c, u64 pa, struct jit_mode mode, const u8 *host)
{
    unsigned offset = pa & (CODE_PAGE - 1);
    pthread_mutex_lock(&j->lock);
    while (j->is_flushing)
        pthread_cond_wait(&j->left, &j->lock);
    struct jit_page *p = jit_find_page(j, pa, mode);
    if (!p || !p->entry[offset / 4]) {
        if (is_time_to_flush(j))
            flush_all(j, c);
        p = jit_make_page(j, c, pa, mode, host - offset);
        if (!jit_translate(j, c, p, offset)) {
            flush_all(j, c);
            p = jit_make_page(j, c, pa, mode, host - offset);
            BUG_ON(!jit_translate(j, c, p, offset));
        }
    }
    u32 entry = p->entry[offset / 4];
    pthread_mutex_unlock(&j->lock);
    return entry;
}

// Code at c->pc, fetched from `pa`, is at `entry`.
static void remember(struct jit *j, struct la_cpu *c, u32 entry, u64 pa, struct la_place *to)
{
    *to = (struct la_place){jit_run_address(j, entry), c->pc - (pa & (CODE_PAGE - 1))};
    la_target_put(c, c->pc, entry, to->pc_base);
}

// The translation of the code at c->pc. False: it is not in RAM. Raises if it cannot be fetched.
static bool look_up(struct jit *j, struct la_cpu *c, struct la_place *to)
{
    if (la_target_find(c, c->pc, to))
        return true;
    c->code.vcpu->n_lookups++;
    if (c->pc & 3)
        return false;
    u64 pa = la_translate(c, c->pc, LA_FETCH);
    u64 page = pa & ~(u64)(CODE_PAGE - 1);
    u8 *host = mem_ram_page(j->mem, page, CODE_PAGE, true);
    if (!host)
        return false;
    host += pa - page;
    u32 entry = entry_at(j, c, pa, mode_of(c, c->pc, pa), host);
    remember(j, c, entry, pa, to);
    return true;
}

// The same if it is translated already. Inside, so that pages stay; without the lock: an entry is
// of code that is complete, and who drops it tells this processor afterwards.
static bool find_known(struct jit *j, struct la_cpu *c, struct la_place *to)
{
    if (c->pc & 3 || c->code.vcpu->check)
        return false;
    u64 pa = la_translate(c, c->pc, LA_FETCH);
    const struct jit_page *p = jit_find_page(j, pa, mode_of(c, c->pc, pa));
    unsigned n = (pa & (CODE_PAGE - 1)) / 4;
    u32 entry = p ? __atomic_load_n(&p->entry[n], __ATOMIC_ACQUIRE) : 0;
    if (!entry)
        return false;
    c->code.vcpu->n_lookups++;
    remember(j, c, entry, pa, to);
    return true;
}

// Lets the jump that brought us here lead on by itself, if it stays in its page.
static void link(struct jit *j, struct la_cpu *c, u8 *site, const struct la_place *t, u64 old_base)
{
    if (!site || j->options.no_chain || c->code.link_site != site || t->pc_base != old_base)
        return;
    pthread_mutex_lock(&j->lock);
    if (!(atomic_load(&c->cpu.requests) & CPU_REQ_CODE)) {
        emit_patch(site - j->to_run, t->host - j->to_run);
        c->code.vcpu->n_links++;
    }
    pthread_mutex_unlock(&j->lock);
}

// Another block gets behind the door of this one. False: there is no room, or it is somebody else's
// turn; the page is there as long as nothing was flushed.
static bool translate_again(struct jit *j, struct la_cpu *c, struct jit_page *p, unsigned offset)
{
    return !is_time_to_flush(j) && jit_translate(j, c, p, offset);
}

// The block that was to be entered at c->pc is of other instructions than are there now.
static void renew(struct jit *j, struct la_cpu *c)
{
    u32 stale = c->code.stale;
    c->code.stale = 0;
    u64 pa = la_translate(c, c->pc, LA_FETCH);
    unsigned offset = pa & (CODE_PAGE - 1);
    struct jit_mode mode = mode_of(c, c->pc, pa);
    pthread_mutex_lock(&j->lock);
    u64 n_flushes = j->counts.n_flushes;
    struct jit_page *p = j->is_flushing ? NULL : jit_find_page(j, pa, mode);
    bool is_there = p && p->is_unwatched && p->entry[offset / 4] == stale;
    bool is_done = is_there && translate_again(j, c, p, offset);
    if (is_there && !is_done && j->counts.n_flushes == n_flushes)
        p->entry[offset / 4] = 0;
    pthread_mutex_unlock(&j->lock);
    if (!is_done)
        la_targets_forget(c);
}

// Inside: what is cached for stores is used here as well, and somebody may be waiting until it is
// forgotten (cache.c). Nothing is executed while something is requested.
static void interpret(struct la_cpu *c, unsigned n)
{
    struct jit *j = jit_of(c);
    u64 left = c->code.n_end - c->cpu.n_insns;
    n = n < left ? n : (unsigned)left;
    go_inside(j, c->code.vcpu);
    for (unsigned i = 0; i < n && !c->cpu.requests; i++) {
        c->code.vcpu->n_interpreted++;
        la_step(c);
        if (unlikely(c->code.written))
            tell_written(c);
    }
    go_outside(j, c->code.vcpu);
}

// -cpu lvz-disturb: translated code does not count its instructions to the last one, and does not
// know this cause of an interrupt.
static bool is_to_be_disturbed(const struct la_cpu *c)
{
    return c->disturbance.at != ~0ULL || c->disturbance.is_pending;
}

static void wait_for_disturbance(struct la_cpu *c)
{
    const struct la_disturbance *d = &c->disturbance;
    c->code.link_site = NULL;
    if (d->is_pending)
        interpret(c, N_DISTURBED);
    else if (c->cpu.n_insns < d->at)
        interpret(c, (unsigned)(d->at - c->cpu.n_insns));
    la_disturb(c);
}

// 32-bit addresses, and misaligned accesses that trap.
static void interpret_odd_mode(struct jit *j, struct la_cpu *c)
{
    if (!atomic_exchange(&j->has_told_odd_mode, true))
        log_unimp(j->log,
                  "cpu %u: nothing is translated where addresses have 32 bits or misaligned "
                  "accesses trap: slow from 0x%llx on",
                  c->cpu.index, (unsigned long long)c->pc);
    c->code.vcpu->n_odd_mode += N_INTERPRETED;
    interpret(c, N_INTERPRETED);
}

// Code that is known by its address alone was translated for the same FCSR.
static void compare_fp_traps(struct la_cpu *c)
{
    bool fp_traps = c->fcsr & 0x1f;
    if (c->code.vcpu->fp_traps != fp_traps)
        la_targets_forget(c);
    c->code.vcpu->fp_traps = fp_traps;
}

// Outside. False: there is nothing to translate here.
static bool look_up_and_link(struct jit *j, struct la_cpu *c, struct la_place *to)
{
    u8 *site = c->code.link_site;
    u64 old_base = c->code.pc_base;
    bool is_there = look_up(j, c, to);
    if (is_there)
        link(j, c, site, to, old_base);
    c->code.link_site = NULL;
    if (!is_there) {
        c->code.vcpu->n_no_ram += N_INTERPRETED;
        interpret(c, N_INTERPRETED);
    }
    return is_there;
}

static void run_translated(struct jit *j, struct la_cpu *c)
{
    compare_fp_traps(c);
    struct la_place to;
    go_inside(j, c->code.vcpu);
    if (c->code.link_site || (!la_target_find(c, c->pc, &to) && !find_known(j, c, &to))) {
        go_outside(j, c->code.vcpu);
        if (!look_up_and_link(j, c, &to))
            return;
        go_inside(j, c->code.vcpu);
    }
    if (likely(!c->cpu.requests)) {
        c->code.pc_base = to.pc_base;
        c->code.mxcsr = mxcsr_of(c->fcsr);
        c->code.n_interpret = 0;
        c->code.vcpu->is_checked = c->code.vcpu->check;
        if (unlikely(c->code.vcpu->check))
            jit_check_before(c);
        void (*enter)(struct la_cpu *, const void *) =
            (void (*)(struct la_cpu *, const void *))j->stubs.enter;
        c->code.left = (s64)(c->code.n_end - c->cpu.n_insns);
        enter(c, to.host);
        if (j->options.count)
            c->cpu.n_insns = c->code.n_end - (u64)c->code.left;
        if (unlikely(c->code.vcpu->check)) {
            jit_check_after(c, false);
            c->code.vcpu->is_checked = false;
            go_outside(j, c->code.vcpu);
        }
    }
    if (c->code.stale) {
        go_outside(j, c->code.vcpu);
        renew(j, c);
    } else if (c->code.n_interpret)
        interpret(c, c->code.n_interpret);
}

// True: go on.
static bool serve(struct la_cpu *c, enum cpu_exit *why)
{
    if (likely(!c->cpu.requests))
        return true;
    c->code.link_site = NULL;
    go_outside(jit_of(c), c->code.vcpu);
    if (c->cpu.requests & CPU_REQ_CODE)
        jit_obey(c);
    return la_serve_requests(c, why);
}

static enum cpu_exit jit_run(struct cpu *cpu, u64 budget)
{
    struct la_cpu *c = la_of(cpu);
    struct jit *j = jit_of(c);
    enum cpu_exit why = CPU_EXIT_BUDGET;
    if ((budget < N_INTERPRETED && !j->options.count) || log_is_on(cpu->bus->log, LOG_IN_ASM)) {
        why = la_interp_run(cpu, budget);
        jit_obey(c); // a request to forget that the interpreter took for its own
        return why;
    }
    c->code.n_end = j->options.count ? cpu->n_insns + budget : ~0ULL;
    la_check_interrupts_soon(c);
    if (setjmp(c->leave)) {
        if (c->code.vcpu->is_checked)
            jit_check_after(c, true);
        c->code.vcpu->is_checked = false;
        if (c->code.vcpu->check)
            go_outside(j, c->code.vcpu);
        c->code.written = 0;
        c->code.link_site = NULL;
        la_take_raised(c);
        c->code.n_end -= j->options.count;
    }
    while (cpu->n_insns < c->code.n_end && serve(c, &why)) {
        // A block that does not fit any more is left where it begins.
        bool has_room = c->code.n_end - cpu->n_insns >= BLOCK_PLAIN_INSNS;
        if (unlikely(is_to_be_disturbed(c)))
            wait_for_disturbance(c);
        else if (unlikely(!la_mmu_may_cache(c)))
            interpret_odd_mode(j, c);
        else if (likely(has_room))
            run_translated(j, c);
        else
            interpret(c, N_INTERPRETED);
    }
    go_outside(j, c->code.vcpu);
    return why;
}

void jit_add_cpu(struct jit *j, struct la_cpu *c)
{
    BUG_ON(j->n_vcpus == JIT_MAX_CPUS || c->cpu.index != j->n_vcpus);
    struct jit_vcpu *v = &j->vcpus[j->n_vcpus++];
    v->jit = j;
    v->cpu = c;
    v->check = j->options.check ? jit_check_new() : NULL;
    c->code.vcpu = v;
    c->code.host_code = jit_run_address(j, 0);
    c->run = jit_run;
    c->cpu.needs_alarm = true;
    c->cpu.is_uncounted = !j->options.count;
    la_mmu_flush(c);
}
