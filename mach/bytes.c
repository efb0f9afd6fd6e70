// SPDX-License-Identifier: Apache-2.0
#include "mach/bytes.h"

#include "base/bits.h"
#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

static void grow(struct bytes *b, size_t size)
{
    if (b->size + size > b->capacity) {
        b->capacity = 2 * (b->size + size);
        b->data = realloc(b->data, b->capacity);
        BUG_ON(!b->data);
    }
}

void bytes_add(struct bytes *b, const void *data, size_t size)
{
    if (!size)
        return;
    grow(b, size);
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

void bytes_put(struct bytes *b, u64 value, unsigned n_bytes)
{
    grow(b, n_bytes);
    store_le(b->data + b->size, value, n_bytes);
    b->size += n_bytes;
}

void bytes_zero(struct bytes *b, size_t size)
{
    if (!size)
        return;
    grow(b, size);
    memset(b->data + b->size, 0, size);
    b->size += size;
}

void bytes_insert(struct bytes *b, size_t at, size_t size)
{
    BUG_ON(at > b->size);
    size_t n_moved = b->size - at;
    if (!size)
        return;
    bytes_zero(b, size);
    memmove(b->data + at + size, b->data + at, n_moved);
    memset(b->data + at, 0, size);
}

void bytes_align(struct bytes *b, size_t alignment)
{
    bytes_zero(b, align_up(b->size, alignment) - b->size);
}

void bytes_free(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){0};
}
