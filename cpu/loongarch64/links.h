// SPDX-License-Identifier: Apache-2.0
// Links that know of every store: what sc needs to fail exactly when another processor or a device
// has stored to the line since ll, whatever it stored.
//
// Without a struct la_links (la_cpu.links is NULL) a link is to a value: sc succeeds if memory
// holds what ll read. That is all that compare-and-swap needs, and costs nothing. With one, the
// page of a link is watched from its first ll on (mem/space.h): no processor caches it for stores,
// and every store to it takes the slow path, where the version of its line changes. An ll notes the
// version, its sc demands it. Versions are locks as well: a store, or an atomic access, holds its
// line while it happens, so that sc looks and stores in one step.
//
// Lines share versions by a hash, so an sc may fail because of another line; a processor's own
// stores do not make its sc fail.
//
// Threads. Set-up belongs to the machine's owner; the rest is for the processor's own thread.
#pragma once

#include "cpu/loongarch64/state.h"

// For the processors of one machine, which are added before they run. Borrows `mem`; never NULL.
struct la_links *la_links_new(struct mem_space *mem);
void la_links_add_cpu(struct la_links *l, struct la_cpu *c);
void la_links_free(struct la_links *l); // accepts NULL; before the processors are freed

// CPU_REQ_LINK: forgets what is cached for stores.
void la_links_obey(struct la_cpu *c);

// Before ll reads memory at `pa`, which is `host`: the version to note. False: it cannot be said
// yet that every store is seen, and the link must not be set.
bool la_links_watch(struct la_cpu *c, u64 pa, const u8 *host, u32 *version);

// The line of an address in RAM, NULL if its page has no links.
_Atomic u32 *la_links_line(struct la_cpu *c, u64 pa, const u8 *host);

// The lines of a store to RAM, NULL where nothing is to be held.
struct la_lines {
    _Atomic u32 *line[2];
};
struct la_lines la_links_hold_slow(struct la_cpu *c, u64 pa, const u8 *host, unsigned size);
void la_links_let_go_slow(struct la_cpu *c, struct la_lines held);

static inline struct la_lines la_links_hold(struct la_cpu *c, u64 pa, const u8 *host, unsigned size)
{
    return unlikely(c->links) ? la_links_hold_slow(c, pa, host, size) : (struct la_lines){{NULL}};
}

static inline void la_links_let_go(struct la_cpu *c, struct la_lines held)
{
    if (unlikely(held.line[0]))
        la_links_let_go_slow(c, held);
}

// An atomic access to what la_atomic_host returned. Nothing is raised in between.
void la_links_begin_slow(struct la_cpu *c);
void la_links_end_slow(struct la_cpu *c, bool has_stored);
// The same of sc: false, and nothing is held, if the link is broken.
bool la_links_begin_conditional(struct la_cpu *c);

static inline void la_links_begin(struct la_cpu *c)
{
    if (unlikely(c->line))
        la_links_begin_slow(c);
}

static inline void la_links_end(struct la_cpu *c, bool has_stored)
{
    if (unlikely(c->line))
        la_links_end_slow(c, has_stored);
}
