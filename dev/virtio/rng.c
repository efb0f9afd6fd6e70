// SPDX-License-Identifier: Apache-2.0
// virtio-rng-pci, a source of random bytes (VIRTIO 1.2, section 5.4): the host kernel's, or in a
// machine that does the same in every run those of a generator, the same ones after each reset.
#include "dev/virtio/virtio_pci.h"
#include "base/bug.h"

#include <errno.h>
#include <sys/random.h>

// Of a longer buffer only the start is filled, which section 5.4.6.2 allows.
enum { MAX_BYTES = 4096, QUEUE_SIZE = 64 };

struct virtio_rng {
    struct virtio_pci t;
    u64 state; // of the generator
};

// Every value of a counter, well mixed: a step of the golden ratio, then a bijection of 64 bits
// (Steele, Lea, Flood 2014, with Stafford's variant 13).
static u64 next(u64 *state)
{
    u64 x = *state += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static void fill_counted(struct virtio_rng *r, u8 *to, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (u8)next(&r->state);
}

static void fill(u8 *to, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = getrandom(to + done, size - done, 0);
        BUG_ON(n < 0 && errno != EINTR);
        done += n > 0 ? (size_t)n : 0;
    }
}

static bool answer(struct virtio *v, unsigned queue, const struct virtq_buffer *b)
{
    u8 bytes[MAX_BYTES];
    u64 size = b->in_size < MAX_BYTES ? b->in_size : MAX_BYTES;
    struct virtio_rng *r = container_of(v, struct virtio_rng, t.v);
    if (((struct device *)r)->env->clock->is_counted)
        fill_counted(r, bytes, size);
    else
        fill(bytes, size);
    iov_write(b->in, b->n_in, 0, bytes, size);
    virtio_push(v, queue, b->head, (u32)size);
    return true;
}

static void kick(struct virtio *v, unsigned queue)
{
    virtio_serve(v, queue, answer);
}

static const struct virtio_ops rng_ops = {.name = "virtio-rng", .id = VIRTIO_ID_RNG, .kick = kick};

static bool realize(struct device *d, struct err *e)
{
    struct virtio_rng *r = (struct virtio_rng *)d;
    virtio_init(&r->t.v, &rng_ops, d->env, 0);
    virtio_add_queue(&r->t.v, QUEUE_SIZE);
    return virtio_pci_realize(&r->t, 0x00ff00, e);
}

static void reset(struct device *d)
{
    virtio_pci_reset((struct virtio_pci *)d);
    ((struct virtio_rng *)d)->state = 0;
}

static void free_device(struct device *d)
{
    virtio_pci_free((struct virtio_pci *)d);
}

static const struct device_prop props[] = {VIRTIO_PCI_PROPS, {NULL}};

const struct device_type virtio_rng_pci_type = {
    .name = "virtio-rng-pci",
    .doc = "A source of random bytes.",
    .size = sizeof(struct virtio_rng),
    .props = props,
    .realize = realize,
    .reset = reset,
    .free = free_device,
    .is_pluggable = true,
};
