// SPDX-License-Identifier: Apache-2.0
// virtio-blk-pci, a disk (VIRTIO 1.2, section 5.2).
//
// A request is checked where the driver's kick arrives, its I/O runs on a worker thread straight
// to and from guest RAM without the device lock, and its completion takes the lock again. A reset
// waits for the I/O that runs and forgets the rest.
#include "dev/virtio/virtio_pci.h"
#include "base/bits.h"
#include "base/bug.h"
#include "host/backends.h"
#include "host/block/block.h"
#include "host/block/io_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    F_SEG_MAX = 2,
    F_RO = 5,
    F_BLK_SIZE = 6,
    F_FLUSH = 9,
    F_TOPOLOGY = 10,
    F_DISCARD = 13,
    F_WRITE_ZEROES = 14,
};

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };
enum { SECTOR = 512, HEADER_SIZE = 16, ID_SIZE = 20, RANGE_SIZE = 16, RANGE_UNMAP = 1 };

// Fields of the configuration, section 5.2.4.
enum {
    C_CAPACITY = 0,
    C_SEG_MAX = 12,
    C_BLK_SIZE = 20,
    C_PHYSICAL_EXP = 24,
    C_MIN_IO = 26,
    C_MAX_DISCARD_SECTORS = 36,
    C_MAX_DISCARD_SEG = 40,
    C_DISCARD_ALIGN = 44,
    C_MAX_ZERO_SECTORS = 48,
    C_MAX_ZERO_SEG = 52,
    C_ZERO_MAY_UNMAP = 56,
    C_SIZE = 60,
};

// Bounds on what one request may ask of the host, so that no guest keeps a worker for minutes.
enum {
    MAX_TRANSFER = 256 << 20,
    MAX_ZERO_SECTORS = (1 << 30) / SECTOR,
    MAX_RANGES = 1,
};

struct virtio_blk {
    struct virtio_pci t;
    char *drive, *serial;
    u64 queue_size, logical_block_size, physical_block_size;
    bool is_in_order;

    struct block *block; // borrowed
    struct io_queue io;
    bool has_io;
};

struct request {
    struct io_job job;
    struct virtio_blk *b;
    u32 type;
    u16 head;
    u8 status;
    bool is_answered; // `status` is known; there is nothing to run
    u8 *status_byte;  // in guest RAM
    u64 offset, length;
    bool may_unmap;
    int n_iov;
    struct iovec iov[]; // the data, in guest RAM
};

static struct virtio_blk *blk_of(struct virtio *v)
{
    return container_of(v, struct virtio_blk, t.v);
}

static void finish(struct request *r)
{
    struct virtio_blk *b = r->b;
    *r->status_byte = r->status;
    u64 written = r->status != S_OK ? 0 : r->type == T_IN ? r->length : 0;
    virtio_push(&b->t.v, 0, r->head, (u32)written + 1);
    free(r);
}

static u8 status_of(int error)
{
    return !error ? S_OK : error == -EOPNOTSUPP ? S_UNSUPP : S_IOERR;
}

static void run(struct io_job *j)
{
    struct request *r = container_of(j, struct request, job);
    struct block *block = r->b->block;
    int error = -EOPNOTSUPP;
    if (r->is_answered)
        return;
    switch (r->type) {
    case T_IN: error = block_read(block, r->offset, r->iov, r->n_iov); break;
    case T_OUT: error = block_write(block, r->offset, r->iov, r->n_iov); break;
    case T_FLUSH: error = block_flush(block); break;
    case T_DISCARD: error = block_discard(block, r->offset, r->length); break;
    case T_WRITE_ZEROES:
        error = block_write_zeroes(block, r->offset, r->length, r->may_unmap);
        break;
    }
    r->status = status_of(error);
}

static void done(struct io_job *j)
{
    finish(container_of(j, struct request, job));
}

static void dropped(struct io_job *j)
{
    free(container_of(j, struct request, job));
}

static void answer(struct request *r, u8 status)
{
    r->status = status;
    r->is_answered = true;
    if (r->b->is_in_order)
        io_submit(&r->b->io, &r->job);
    else
        finish(r);
}

// Whole logical blocks within the disk?
static bool is_valid_range(const struct virtio_blk *b, u64 sector, u64 length)
{
    u64 size = b->block->size, offset = sector * SECTOR;
    return sector <= size / SECTOR && length <= size - offset &&
           offset % b->logical_block_size == 0 && length % b->logical_block_size == 0;
}

static void submit_transfer(struct request *r, u64 sector)
{
    bool is_write = r->type == T_OUT;
    if (r->length > MAX_TRANSFER || !is_valid_range(r->b, sector, r->length) ||
        (is_write && r->b->block->is_readonly)) {
        log_guest(r->b->t.v.env->log, "virtio-blk: %s of %llu bytes at sector %llu",
                  is_write ? "write" : "read", (unsigned long long)r->length,
                  (unsigned long long)sector);
        answer(r, S_IOERR);
        return;
    }
    r->offset = sector * SECTOR;
    io_submit(&r->b->io, &r->job);
}

static void answer_id(struct request *r)
{
    char id[ID_SIZE] = {0};
    if (r->b->serial)
        memcpy(id, r->b->serial, strnlen(r->b->serial, ID_SIZE));
    u64 n = iov_write(r->iov, (unsigned)r->n_iov, 0, id, ID_SIZE);
    answer(r, n == ID_SIZE ? S_OK : S_IOERR);
}

// Discard and write zeroes carry ranges; we announce that we take one at a time.
static void submit_range(struct request *r)
{
    u8 range[RANGE_SIZE];
    struct virtio_blk *b = r->b;
    bool is_discard = r->type == T_DISCARD;
    if (r->length != RANGE_SIZE || b->block->is_readonly) {
        answer(r, r->length > RANGE_SIZE ? S_UNSUPP : S_IOERR);
        return;
    }
    iov_read(r->iov, (unsigned)r->n_iov, 0, range, RANGE_SIZE);
    u64 sector = load_le(range, 8), n_sectors = load_le(range + 8, 4);
    u32 flags = (u32)load_le(range + 12, 4);
    // Section 5.2.6.2: a discard has no flags, zeroes may allow unmapping.
    if (flags & ~(u32)RANGE_UNMAP || (is_discard && flags)) {
        answer(r, S_UNSUPP);
        return;
    }
    if (n_sectors > MAX_ZERO_SECTORS || !is_valid_range(b, sector, n_sectors * SECTOR)) {
        answer(r, S_IOERR);
        return;
    }
    r->offset = sector * SECTOR;
    r->length = n_sectors * SECTOR;
    r->may_unmap = flags & RANGE_UNMAP;
    io_submit(&b->io, &r->job);
}

static void dispatch(struct request *r, u64 sector)
{
    switch (r->type) {
    case T_IN:
    case T_OUT: submit_transfer(r, sector); break;
    case T_FLUSH: io_submit(&r->b->io, &r->job); break;
    case T_GET_ID: answer_id(r); break;
    case T_DISCARD:
    case T_WRITE_ZEROES: submit_range(r); break;
    default: answer(r, S_UNSUPP);
    }
}

// The header is the first bytes to read, the status the last byte to write; how the driver cuts
// the rest into descriptors does not matter (section 2.7.4.1).
static bool start_request(struct virtio *v, unsigned queue, const struct virtq_buffer *buf)
{
    struct virtio_blk *b = blk_of(v);
    u8 header[HEADER_SIZE];
    if (buf->out_size < HEADER_SIZE || !buf->in_size) {
        virtio_fail(v, "request without header or status");
        return true;
    }
    iov_read(buf->out, buf->n_out, 0, header, HEADER_SIZE);
    unsigned n = buf->n_out > buf->n_in ? buf->n_out : buf->n_in;
    struct request *r = malloc(sizeof(*r) + n * sizeof(r->iov[0]));
    BUG_ON(!r);
    *r = (struct request){
        .job = {run, done, NULL}, .b = b, .type = (u32)load_le(header, 4), .head = buf->head};
    const struct iovec *last = &buf->in[buf->n_in - 1];
    r->status_byte = (u8 *)last->iov_base + last->iov_len - 1;
    bool is_in = r->type == T_IN || r->type == T_GET_ID;
    r->length = is_in ? buf->in_size - 1 : buf->out_size - HEADER_SIZE;
    r->n_iov = (int)(is_in ? iov_cut(buf->in, buf->n_in, 0, r->length, r->iov)
                           : iov_cut(buf->out, buf->n_out, HEADER_SIZE, r->length, r->iov));
    dispatch(r, load_le(header + 8, 8));
    return true;
}

static void kick(struct virtio *v, unsigned queue)
{
    virtio_serve(v, queue, start_request);
}

static void reset(struct virtio *v)
{
    struct virtio_blk *b = blk_of(v);
    if (b->has_io)
        io_cancel(&b->io, dropped);
}

static const struct virtio_ops blk_ops = {
    .name = "virtio-blk", .id = VIRTIO_ID_BLK, .kick = kick, .reset = reset};

static void fill_config(struct virtio_blk *b)
{
    u8 *c = b->t.v.config;
    u64 max_sectors = MAX_ZERO_SECTORS;
    store_le(c + C_CAPACITY, b->block->size / SECTOR, 8);
    store_le(c + C_SEG_MAX, b->queue_size < 4 ? 1 : b->queue_size - 2, 4);
    store_le(c + C_BLK_SIZE, b->logical_block_size, 4);
    c[C_PHYSICAL_EXP] = (u8)__builtin_ctzll(b->physical_block_size / b->logical_block_size);
    store_le(c + C_MIN_IO, b->physical_block_size / b->logical_block_size, 2);
    store_le(c + C_MAX_DISCARD_SECTORS, max_sectors, 4);
    store_le(c + C_MAX_DISCARD_SEG, MAX_RANGES, 4);
    store_le(c + C_DISCARD_ALIGN, b->physical_block_size / SECTOR, 4);
    store_le(c + C_MAX_ZERO_SECTORS, max_sectors, 4);
    store_le(c + C_MAX_ZERO_SEG, MAX_RANGES, 4);
    c[C_ZERO_MAY_UNMAP] = 1;
    b->t.v.config_size = C_SIZE;
}

static bool check(const struct virtio_blk *b, struct err *e)
{
    u64 l = b->logical_block_size, p = b->physical_block_size;
    if (!is_pow2(l) || l < SECTOR || l > 4096 || !is_pow2(p) || p < l || p > 64 * 1024)
        return err_set(e,
                       "block sizes %llu (logical) and %llu (physical): powers of two from 512 "
                       "to 4096 and 65536, the second not less than the first",
                       (unsigned long long)l, (unsigned long long)p);
    if (!is_pow2(b->queue_size) || b->queue_size < 2 || b->queue_size > VIRTQ_MAX_SIZE)
        return err_set(e, "property 'queue-size': a power of two from 2 to %d", VIRTQ_MAX_SIZE);
    return true;
}

static bool open_drive(struct virtio_blk *b, struct err *e)
{
    b->block = backends_take_drive(b->t.pci.d.env->backends, b->drive, b->t.pci.d.type->name, e);
    if (!b->block)
        return false;
    if (b->block->size % b->logical_block_size)
        return err_set(e, "'%s' has %llu bytes, not a multiple of the logical block size",
                       b->block->name, (unsigned long long)b->block->size);
    return true;
}

static bool realize(struct device *d, struct err *e)
{
    struct virtio_blk *b = (struct virtio_blk *)d;
    if (!check(b, e) || !open_drive(b, e))
        return false;
    u64 f = BIT(F_SEG_MAX) | BIT(F_BLK_SIZE) | BIT(F_FLUSH) | BIT(F_TOPOLOGY);
    f |= b->block->is_readonly ? BIT(F_RO) : BIT(F_DISCARD) | BIT(F_WRITE_ZEROES);
    virtio_init(&b->t.v, &blk_ops, d->env, f);
    virtio_add_queue(&b->t.v, (unsigned)b->queue_size);
    fill_config(b);
    io_queue_init(&b->io, &d->env->mem->device_lock, d->env->clock);
    b->io.max_workers = b->is_in_order ? 1 : IO_MAX_WORKERS;
    b->has_io = true;
    return virtio_pci_realize(&b->t, 0x010000, e);
}

static void reset_device(struct device *d)
{
    virtio_pci_reset((struct virtio_pci *)d);
}

static void free_device(struct device *d)
{
    struct virtio_blk *b = (struct virtio_blk *)d;
    virtio_pci_free(&b->t);
    if (b->has_io)
        io_queue_free(&b->io);
}

static const struct device_prop props[] = {
    VIRTIO_PCI_PROPS,
    {"drive", PROP_STRING, offsetof(struct virtio_blk, drive), "id of the drive", NULL},
    {"serial", PROP_STRING, offsetof(struct virtio_blk, serial),
     "serial number, up to 20 characters", NULL},
    {"queue-size", PROP_U64, offsetof(struct virtio_blk, queue_size), "requests in flight", "256"},
    {"in-order", PROP_BOOL, offsetof(struct virtio_blk, is_in_order),
     "whether requests are done one after another, in the order in which they come", "off"},
    {"logical_block_size", PROP_SIZE, offsetof(struct virtio_blk, logical_block_size),
     "smallest unit that is read or written", "512"},
    {"physical_block_size", PROP_SIZE, offsetof(struct virtio_blk, physical_block_size),
     "smallest unit that is written fast", "512"},
    {NULL},
};

const struct device_type virtio_blk_pci_type = {
    .name = "virtio-blk-pci",
    .doc = "A disk.",
    .size = sizeof(struct virtio_blk),
    .props = props,
    .realize = realize,
    .reset = reset_device,
    .free = free_device,
    .is_pluggable = true,
};
