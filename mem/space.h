// SPDX-License-Identifier: Apache-2.0
// The guest-physical address space of one machine: RAM blocks and device regions.
//
// Three doors, one per purpose:
//   processors   mem_ram_page (fast path fill), mem_read / mem_write (everything else)
//   devices      mem_dma_read / mem_dma_write / mem_dma_iov (RAM only), mem_msi (doorbells)
//   loaders      mem_load (before the machine runs)
//
// Threads. RAM blocks are added before the machine runs and stay until mem_space_free, so pointers
// into RAM stay valid and RAM is read and written without a lock. Everything else belongs to the
// device lock: mem_read and mem_write take it around a device's callback; devices' callbacks,
// timers and back-end events run with it held; a device never takes it itself.
//
// All values are little-endian numbers in the low bits of a u64. Sizes are 1, 2, 4 or 8 bytes.
#pragma once

#include "base/types.h"
#include "base/err.h"
#include "base/log.h"

#include <pthread.h>
#include <sys/uio.h>

typedef u64 gpa_t;

// What a device does when a processor touches its registers. `offset` is from the region's start,
// `offset + size` never exceeds its size. Called with the device lock held.
struct mem_io_ops {
    u64 (*read)(void *opaque, u64 offset, unsigned size);
    void (*write)(void *opaque, u64 offset, u64 value, unsigned size);
    // Wider accesses are split into pieces of this size, lowest address first; 0 means 8.
    // Misaligned accesses are split into bytes.
    u8 max_size;
    // True: the region may be the target of message interrupts (mem_msi).
    bool takes_msi;
};

struct mem_region {
    gpa_t base;
    u64 size;
    const struct mem_io_ops *ops;
    void *opaque;
    int priority;     // of overlapping regions the highest answers; equal: the later one
    const char *name; // borrowed
    // Memory behind a device that mostly reads as memory (flash): while `is_direct`, data reads and
    // instruction fetches use it and only writes reach `ops`. NULL for plain device regions.
    u8 *direct;
    _Atomic bool is_direct;
};

struct mem_ram {
    gpa_t base;
    u64 size;
    u8 *host;
    _Atomic u8 *watched; // one per 16 KiB: enum mem_watch_why, 0: nobody looks
    bool is_borrowed;
};

// Memory that somebody translated code from is watched, page by page: whoever writes RAM tells
// mem_written. So is memory that a processor's link was to (cpu/loongarch64/links.h). Processors
// cache neither for stores.
#define MEM_WATCH_SHIFT 14
enum mem_watch_why { MEM_WATCHES_CODE = 1, MEM_WATCHES_LINKS = 2, MEM_WATCHES_LINKS_SURELY = 4 };

#define MEM_MAX_RAM     8
#define MEM_MAX_REGIONS 256

struct mem_flat_range;

struct mem_space {
    pthread_mutex_t device_lock; // not recursive: taking it twice aborts
    struct log *log;             // borrowed; may be NULL
    struct mem_ram ram[MEM_MAX_RAM];
    unsigned n_ram;
    struct mem_region *regions[MEM_MAX_REGIONS];
    unsigned n_regions;
    struct mem_flat_range *flat; // sorted, without overlaps; rebuilt when regions change
    unsigned n_flat;
    _Atomic u64 n_unassigned; // accesses that nothing answered
    // Told, with the device lock held, when direct memory was switched on or off: processors drop
    // their cached translations before their next instruction.
    void (*changed)(void *opaque);
    void *changed_opaque;
    // Told, by the thread that wrote, that bytes of a watched page changed. NULL: nothing watches.
    void (*written)(void *opaque, gpa_t gpa, u64 size);
    void *written_opaque;
    // The same of a page with links, if a device wrote. NULL: there are none.
    void (*links_written)(void *opaque, gpa_t gpa, u64 size);
    void *links_opaque;
};

void mem_space_init(struct mem_space *m, struct log *log);
void mem_space_free(struct mem_space *m);

// Adds zeroed RAM. base and size are multiples of 64 KiB. Fails with a message when the host has
// not enough memory, or when it overlaps other RAM.
bool mem_add_ram(struct mem_space *m, gpa_t base, u64 size, const char *name, struct err *e);

// As mem_add_ram, of memory that is the caller's: it stays mapped at `host` until mem_space_free.
bool mem_lend_ram(struct mem_space *m, gpa_t base, u64 size, void *host, struct err *e);

// The region is borrowed until mem_remove_region. Before the machine runs, or with the lock held.
void mem_add_region(struct mem_space *m, struct mem_region *r);
void mem_remove_region(struct mem_space *m, struct mem_region *r);
// The direct memory as processors see it now: pieces in ascending order, at most `max`; returns
// their number. Device lock held; valid until the next `changed`.
struct mem_direct_range {
    gpa_t base;
    u64 size;
    u8 *host;
};
unsigned mem_direct_ranges(const struct mem_space *m, struct mem_direct_range *ranges,
                           unsigned max);
// Tells `changed` that processors must look again, e.g. because address windows moved.
void mem_changed(struct mem_space *m);
void mem_set_direct(struct mem_space *m, struct mem_region *r, bool is_direct);

// Processors. A host pointer to `size` bytes at gpa if they are all RAM (or, for reads, direct
// memory), else NULL. size at most 64 KiB, gpa a multiple of size. The pointer to direct memory is
// valid until the next `changed`.
u8 *mem_ram_page(struct mem_space *m, gpa_t gpa, u64 size, bool for_write);
u64 mem_read(struct mem_space *m, gpa_t gpa, unsigned size);
void mem_write(struct mem_space *m, gpa_t gpa, u64 value, unsigned size);

// Watching. mem_watch is false if gpa is no RAM. A page is watched from the call on; who cached it
// for stores before has to be told by the caller.
bool mem_watch(struct mem_space *m, gpa_t gpa);
void mem_unwatch(struct mem_space *m, gpa_t gpa);
bool mem_is_watched(struct mem_space *m, gpa_t gpa);
// The same of links: what is known of the page (MEM_WATCHES_LINKS*), 0 if gpa is no RAM, and what
// is known from now on.
unsigned mem_links(struct mem_space *m, gpa_t gpa);
void mem_add_links(struct mem_space *m, gpa_t gpa, unsigned why);
// After RAM was written through a host pointer: by a processor, by a device. mem_write and
// mem_dma_write tell it themselves.
void mem_written(struct mem_space *m, gpa_t gpa, u64 size);
void mem_dma_written(struct mem_space *m, gpa_t gpa, u64 size);

// Devices: RAM only. False if any byte is outside RAM: then reads give zeros, writes store nothing,
// and the log's guest class says so.
bool mem_dma_read(struct mem_space *m, gpa_t gpa, void *buf, u64 size);
bool mem_dma_write(struct mem_space *m, gpa_t gpa, const void *buf, u64 size);
// Host addresses of guest RAM [gpa, gpa+size) in at most `max` pieces; returns the number of
// pieces, or -EFAULT if any byte is outside RAM or more pieces were needed. Valid as long as the
// machine lives.
int mem_dma_iov(struct mem_space *m, gpa_t gpa, u64 size, struct iovec *iov, int max);
// A message interrupt: a 32-bit write that only reaches regions with takes_msi. Lock held.
void mem_msi(struct mem_space *m, gpa_t gpa, u32 data);

// Loaders. False with a message if [gpa, gpa+size) is not all RAM.
bool mem_load(struct mem_space *m, gpa_t gpa, const void *data, u64 size, const char *what,
              struct err *e);

// The device lock. Taking it twice is a bug and aborts.
void mem_lock(struct mem_space *m);
void mem_unlock(struct mem_space *m);
