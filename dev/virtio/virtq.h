// SPDX-License-Identifier: Apache-2.0
// One split virtqueue (VIRTIO 1.2, section 2.7), as its device sees it.
//
// Rings and descriptors belong to the guest, who may change any of it at any time. Everything is
// read once, checked, and bounded by the queue's size; what is wrong breaks the queue until the
// device is reset. Device lock held, except where a function says otherwise.
#pragma once

#include "mem/space.h"

enum {
    VIRTQ_MAX_SIZE = 1024,   // entries of a ring
    VIRTQ_MAX_PIECES = 1024, // pieces of host memory of one buffer; not above IOV_MAX
};

// A buffer the driver made available: first what the device reads, then what it writes.
struct virtq_buffer {
    u16 head;
    unsigned n_out, n_in;
    u64 out_size, in_size;
    // Pieces of guest RAM, none of them empty; in = out + n_out. They are the queue's until its
    // next virtq_pop; the memory they point to stays as long as the machine.
    struct iovec *out, *in;
};

struct virtq {
    struct mem_space *mem; // borrowed
    u16 max_size;          // what the device offers

    // What the driver set.
    u16 size; // a power of two up to max_size
    gpa_t desc_gpa, avail_gpa, used_gpa;
    bool is_enabled;
    bool has_indirect, has_event_idx; // negotiated features

    // Host addresses of the rings, while enabled.
    const u8 *desc;
    u8 *avail, *used;

    bool is_broken;
    const char *fault; // what was wrong, for the log
    u16 next_avail, next_used;
    u16 n_in_use; // buffers popped and not yet pushed
    u16 notified_used;
    bool has_notified;
    struct iovec pieces[VIRTQ_MAX_PIECES];
};

void virtq_init(struct virtq *q, struct mem_space *mem, u16 max_size);
// Everything but what virtq_init set. Buffers that were popped are forgotten.
void virtq_reset(struct virtq *q);
// Takes the rings at the three addresses into use. False, with a fault, if they are misaligned or
// not all RAM.
bool virtq_enable(struct virtq *q);

// Goes on where the device that used the rings before left off, provided that it handed buffers
// back in the order in which they came.
void virtq_resume(struct virtq *q);

// The next buffer: 1 and *b, 0 if there is none, -EINVAL if the queue is broken, now or before.
int virtq_pop(struct virtq *q, struct virtq_buffer *b);
// Gives the last n popped buffers back: they will be popped again.
void virtq_unpop(struct virtq *q, unsigned n);

// Hands a buffer back to the driver with `written` bytes of it written.
void virtq_push(struct virtq *q, u16 head, u32 written);
// The same in two steps, for several buffers that the driver must see at once: buffer number
// `index` from 0, then all n of them.
void virtq_fill(struct virtq *q, unsigned index, u16 head, u32 written);
void virtq_flush(struct virtq *q, unsigned n);

// After virtq_push: does the driver want an interrupt?
bool virtq_must_interrupt(struct virtq *q);
// Asks the driver to tell when there are more than n buffers waiting. True if there are already.
bool virtq_want_kick(struct virtq *q, unsigned n);

// Copies between a buffer's pieces and a flat one, from byte `offset` of the pieces on. Return how
// many bytes there were to copy, at most size. Any thread.
u64 iov_read(const struct iovec *iov, unsigned n, u64 offset, void *to, u64 size);
u64 iov_write(const struct iovec *iov, unsigned n, u64 offset, const void *from, u64 size);
// The pieces for `length` bytes from byte `skip` on, at most n; returns how many. Any thread.
unsigned iov_cut(const struct iovec *from, unsigned n, u64 skip, u64 length, struct iovec *to);
