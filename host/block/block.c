// SPDX-License-Identifier: Apache-2.0
#include "host/block/block.h"
#include "base/bug.h"

static bool holds(const struct block *b, u64 offset, u64 length)
{
    return offset <= b->size && length <= b->size - offset;
}

int block_read(struct block *b, u64 offset, struct iovec *iov, int n)
{
    return b->ops->read(b, offset, iov, n);
}

int block_write(struct block *b, u64 offset, struct iovec *iov, int n)
{
    BUG_ON(b->is_readonly);
    return b->ops->write(b, offset, iov, n);
}

int block_flush(struct block *b)
{
    return b->ignores_flush || b->is_readonly ? 0 : b->ops->flush(b);
}

int block_discard(struct block *b, u64 offset, u64 length)
{
    BUG_ON(b->is_readonly || !holds(b, offset, length));
    return b->ignores_discard ? 0 : b->ops->discard(b, offset, length);
}

int block_write_zeroes(struct block *b, u64 offset, u64 length, bool may_unmap)
{
    BUG_ON(b->is_readonly || !holds(b, offset, length));
    return b->ops->write_zeroes(b, offset, length, may_unmap && !b->ignores_discard);
}

void block_free(struct block *b)
{
    if (b)
        b->ops->free(b);
}
