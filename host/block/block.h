// SPDX-License-Identifier: Apache-2.0
// What a disk is backed by: bytes 0 to size-1 that are read and written.
//
// Every operation may block and may be called by several threads at once, without the device lock;
// devices call them from an io_queue (host/block/io_queue.h). Operations are not ordered by
// themselves: flush makes durable what had been written before it was called.
#pragma once

#include "base/err.h"
#include "base/types.h"

#include <sys/uio.h>

struct block;

// All return 0 or a negative errno. `iov` has at most IOV_MAX pieces and may be changed.
// [offset, offset + length) lies in the disk.
struct block_ops {
    int (*read)(struct block *b, u64 offset, struct iovec *iov, int n);
    int (*write)(struct block *b, u64 offset, struct iovec *iov, int n);
    int (*flush)(struct block *b);
    // The contents do not matter any more. -EOPNOTSUPP if the back end keeps them anyway.
    int (*discard)(struct block *b, u64 offset, u64 length);
    // `may_unmap`: storage may be given back, as long as it reads as zeros.
    int (*write_zeroes)(struct block *b, u64 offset, u64 length, bool may_unmap);
    void (*free)(struct block *b);
};

struct block {
    const struct block_ops *ops;
    u64 size;         // a multiple of 512
    bool is_readonly; // nothing that changes it is called
    char *name;       // owned; for messages
    // Choices of the user's: flushes and discards succeed at once and do nothing.
    bool ignores_flush, ignores_discard;
    // What was written has left this kernel's memory when the write is done: for who goes on by
    // himself if this kernel panics, and does not know what a cache lost. Set before the first use.
    bool is_through;
};

// Devices call these; as in block_ops.
int block_read(struct block *b, u64 offset, struct iovec *iov, int n);
int block_write(struct block *b, u64 offset, struct iovec *iov, int n);
int block_flush(struct block *b);
int block_discard(struct block *b, u64 offset, u64 length);
int block_write_zeroes(struct block *b, u64 offset, u64 length, bool may_unmap);

// A file or a block device whose bytes are the disk's. It stays locked against other programs that
// lock (and against a second use in this one): exclusively, or shared if read-only. NULL with a
// message that names the file.
struct block *block_open_raw(const char *path, bool is_readonly, struct err *e);

// Accepts NULL. No operation runs any more.
void block_free(struct block *b);
