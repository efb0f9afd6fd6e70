// SPDX-License-Identifier: Apache-2.0
// virtio-net-pci, a network card with one pair of queues (VIRTIO 1.2, section 5.1).
//
// The driver may leave checksums and the cutting of long TCP frames to us, which is cheaper than in
// the guest, and we tell it of frames that never were on a wire. It hears all frames, as without a
// filter.
#include "dev/pci_bus.h"
#include "dev/virtio/net_segment.h"
#include "dev/virtio/virtio_pci.h"
#include "base/bits.h"
#include "base/bug.h"
#include "host/backends.h"
#include "host/net/netdev.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RX = 0, TX = 1, QUEUE_SIZE = 256, MAX_TRIES = 8, SEGMENTS_PER_TURN = 64 };
enum {
    F_CSUM = 0,
    F_GUEST_CSUM = 1,
    F_MAC = 5,
    F_HOST_TSO4 = 11,
    F_HOST_TSO6 = 12,
    F_HOST_ECN = 13,
    F_MRG_RXBUF = 15,
    F_STATUS = 16,
};
enum { C_MAC = 0, C_STATUS = 6, C_SIZE = 8, LINK_UP = 1 };

// struct virtio_net_hdr, section 5.1.6.
enum {
    H_FLAGS = 0,
    H_GSO_TYPE = 1,
    H_GSO_SIZE = 4,
    H_CSUM_START = 6,
    H_CSUM_OFFSET = 8,
    H_NUM_BUFFERS = 10,
    HEADER_SIZE = 12,
    FLAG_NEEDS_CSUM = 1,
    FLAG_DATA_VALID = 2,
    GSO_ECN = 0x80,
};

struct virtio_net {
    struct virtio_pci t;
    char *mac_text, *netdev;

    struct netdev *net; // borrowed
    u8 mac[6];
    u8 frame[NETDEV_MAX_FRAME]; // one that needs a checksum or is cut
    u8 segment[NETDEV_MAX_FRAME];
    unsigned n_sent; // segments of the next frame of TX that are gone already
    struct iovec pieces[VIRTQ_MAX_PIECES];
};

static struct virtio_net *net_of(struct virtio *v)
{
    return container_of(v, struct virtio_net, t.v);
}

// The field holds the sum of the pseudo header already. Zero would mean "none" in UDP.
static bool complete_checksum(u8 *frame, u64 size, const u8 *header)
{
    u64 from = load_le(header + H_CSUM_START, 2), at = from + load_le(header + H_CSUM_OFFSET, 2);
    if (from >= size || at + 2 > size)
        return false;
    u16 sum = (u16)~segment_sum(frame + from, size - from, 0);
    store_be(frame + at, sum ? sum : 0xffff, 2);
    return true;
}

// 0, also for what is dropped, or -EAGAIN.
static int send_segments(struct virtio_net *n, const u8 *header, u64 size)
{
    struct segment_plan p;
    u8 kind = header[H_GSO_TYPE] & (u8)~GSO_ECN;
    if ((kind != SEGMENT_TCPV4 && kind != SEGMENT_TCPV6) ||
        !segment_plan(&p, (enum segment_kind)kind, n->frame, size,
                      (unsigned)load_le(header + H_CSUM_START, 2),
                      (unsigned)load_le(header + H_GSO_SIZE, 2))) {
        log_guest(n->t.v.env->log, "virtio-net: frame of %llu bytes cannot be cut (type %u)",
                  (unsigned long long)size, header[H_GSO_TYPE]);
        return 0;
    }
    // Tiny segments make many; the rest of them follows later.
    for (unsigned left = SEGMENTS_PER_TURN; n->n_sent < p.n; n->n_sent++) {
        if (!left--) {
            virtio_kick_later(&n->t.v, TX);
            return -EAGAIN;
        }
        struct iovec v = {n->segment, segment_make(&p, n->n_sent, n->segment)};
        if (netdev_send(n->net, &v, 1) == -EAGAIN)
            return -EAGAIN;
    }
    return 0;
}

static int send_frame(struct virtio_net *n, const struct virtq_buffer *b, const u8 *header,
                      u64 size)
{
    if (!header[H_GSO_TYPE] && !(header[H_FLAGS] & FLAG_NEEDS_CSUM)) {
        unsigned n_pieces = iov_cut(b->out, b->n_out, HEADER_SIZE, size, n->pieces);
        return netdev_send(n->net, n->pieces, (int)n_pieces);
    }
    struct iovec flat = {n->frame, iov_read(b->out, b->n_out, HEADER_SIZE, n->frame, size)};
    if (header[H_GSO_TYPE])
        return send_segments(n, header, size);
    if (complete_checksum(n->frame, size, header))
        return netdev_send(n->net, &flat, 1);
    log_guest(n->t.v.env->log, "virtio-net: checksum outside of its frame");
    return 0;
}

static bool send(struct virtio *v, unsigned queue, const struct virtq_buffer *b)
{
    struct virtio_net *n = net_of(v);
    u8 header[HEADER_SIZE];
    if (iov_read(b->out, b->n_out, 0, header, HEADER_SIZE) < HEADER_SIZE) {
        virtio_fail(v, "frame without header");
        return true;
    }
    u64 size = b->out_size - HEADER_SIZE;
    if (size > NETDEV_MAX_FRAME)
        log_guest(v->env->log, "virtio-net: frame of %llu bytes", (unsigned long long)size);
    else if (send_frame(n, b, header, size) == -EAGAIN)
        return false; // until `writable`
    n->n_sent = 0;
    virtio_push(v, queue, b->head, 0);
    return true;
}

static void kick(struct virtio *v, unsigned queue)
{
    if (queue == TX)
        virtio_serve(v, TX, send);
    else
        netdev_resume(net_of(v)->net);
}

static void writable(void *opaque)
{
    virtio_kick(&((struct virtio_net *)opaque)->t.v, TX);
}

// A frame on its way into one or several buffers.
struct arrival {
    const u8 *frame;
    u64 size, done; // header included
    unsigned n_buffers;
    struct iovec head[HEADER_SIZE]; // where the header went
    unsigned n_head;
};

// The first buffer gets the header, of which the number of buffers is not known yet.
static u32 fill_buffer(struct arrival *a, const struct virtq_buffer *b)
{
    u64 before = a->done, skip = 0;
    if (!a->n_buffers++) {
        a->n_head = iov_cut(b->in, b->n_in, 0, HEADER_SIZE, a->head);
        a->done = skip = HEADER_SIZE;
    }
    u64 left = a->size - a->done;
    a->done += iov_write(b->in, b->n_in, skip, a->frame + (a->done - HEADER_SIZE), left);
    return (u32)(a->done - before);
}

static void finish(struct virtio_net *n, struct arrival *a)
{
    struct virtio *v = &n->t.v;
    u8 header[HEADER_SIZE] = {0};
    if (n->net->is_trusted && virtio_has(v, F_GUEST_CSUM))
        header[H_FLAGS] = FLAG_DATA_VALID;
    store_le(header + H_NUM_BUFFERS, a->n_buffers, 2);
    iov_write(a->head, a->n_head, 0, header, HEADER_SIZE);
    virtq_flush(&v->queues[RX], a->n_buffers);
    virtio_interrupt(v, RX);
}

enum outcome { TAKEN, NO_ROOM, DROPPED };

static enum outcome fill_buffers(struct virtio_net *n, struct arrival *a)
{
    struct virtio *v = &n->t.v;
    struct virtq *q = &v->queues[RX];
    struct virtq_buffer b;
    while (a->done < a->size) {
        // A frame that the whole ring cannot hold will never fit.
        if (a->n_buffers == q->size || (a->n_buffers && !virtio_has(v, F_MRG_RXBUF)))
            return DROPPED;
        if (!virtio_pop(v, RX, &b))
            return virtio_is_running(v) ? NO_ROOM : DROPPED;
        unsigned index = a->n_buffers;
        if (b.in_size < HEADER_SIZE) {
            a->n_buffers++;
            virtio_fail(v, "receive buffer smaller than a header");
            return DROPPED;
        }
        u32 written = fill_buffer(a, &b);
        virtq_fill(q, index, b.head, written);
    }
    return TAKEN;
}

// Buffers may come after we looked and before we asked to be told of them: then again.
static bool receive(void *opaque, const u8 *frame, size_t size)
{
    struct virtio_net *n = opaque;
    struct virtio *v = &n->t.v;
    struct virtq *q = &v->queues[RX];
    for (int tries = 0; tries < MAX_TRIES; tries++) {
        struct arrival a = {.frame = frame, .size = HEADER_SIZE + size};
        enum outcome o = virtio_is_running(v) && q->is_enabled ? fill_buffers(n, &a) : DROPPED;
        if (o == TAKEN) {
            finish(n, &a);
            return true;
        }
        virtq_unpop(q, a.n_buffers);
        if (o == DROPPED)
            return true;
        if (!virtq_want_kick(q, a.n_buffers))
            return false;
    }
    return true;
}

// Frames that wait for buffers are for the driver that was.
static void reset(struct virtio *v)
{
    net_of(v)->n_sent = 0;
    if (net_of(v)->net)
        netdev_resume(net_of(v)->net);
}

static const struct virtio_ops net_ops = {
    .name = "virtio-net", .id = VIRTIO_ID_NET, .kick = kick, .reset = reset};

static bool parse_mac(const char *text, u8 *mac)
{
    for (int i = 0; i < 6; i++) {
        char *end;
        unsigned long byte = strtoul(text, &end, 16);
        if (end == text || end - text > 2 || *end != (i < 5 ? ':' : 0))
            return false;
        mac[i] = (u8)byte;
        text = end + 1;
    }
    // Not a group's, and not nobody's.
    return !(mac[0] & 1) && memcmp(mac, (u8[6]){0}, 6) != 0;
}

// 52:54:00:12:34:56 and following, in the order of the cards.
static void default_mac(struct virtio_net *n)
{
    static const u8 first[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    memcpy(n->mac, first, 6);
    struct pci_bus *bus = n->t.pci.bus;
    for (unsigned i = 0; i < PCI_N_DEVFN; i++)
        if (bus->functions[i] && bus->functions[i] != &n->t.pci &&
            bus->functions[i]->d.type == n->t.pci.d.type)
            n->mac[5]++;
}

static bool realize(struct device *d, struct err *e)
{
    struct virtio_net *n = (struct virtio_net *)d;
    struct virtio *v = &n->t.v;
    if (n->mac_text && !parse_mac(n->mac_text, n->mac))
        return err_set(e, "property 'mac': '%s' is not an address like 52:54:00:12:34:56",
                       n->mac_text);
    struct netdev *net = backends_take_netdev(d->env->backends, n->netdev, d->type->name, e);
    if (!net)
        return false;
    virtio_init(v, &net_ops, d->env,
                BIT(F_CSUM) | BIT(F_GUEST_CSUM) | BIT(F_MAC) | BIT(F_HOST_TSO4) | BIT(F_HOST_TSO6) |
                    BIT(F_HOST_ECN) | BIT(F_MRG_RXBUF) | BIT(F_STATUS));
    virtio_add_queue(v, QUEUE_SIZE);
    virtio_add_queue(v, QUEUE_SIZE);
    if (!virtio_pci_realize(&n->t, 0x020000, e))
        return false;
    if (!n->mac_text)
        default_mac(n);
    memcpy(v->config + C_MAC, n->mac, 6);
    store_le(v->config + C_STATUS, LINK_UP, 2);
    v->config_size = C_SIZE;
    n->net = net;
    struct netdev_client client = {.receive = receive, .writable = writable, .opaque = n};
    netdev_attach(net, &client, &d->env->mem->device_lock);
    return true;
}

static void reset_device(struct device *d)
{
    virtio_pci_reset((struct virtio_pci *)d);
}

static void free_device(struct device *d)
{
    struct virtio_net *n = (struct virtio_net *)d;
    if (n->net)
        netdev_detach(n->net);
    virtio_pci_free(&n->t);
}

static const struct device_prop props[] = {
    VIRTIO_PCI_PROPS,
    {"netdev", PROP_STRING, offsetof(struct virtio_net, netdev), "id of the network", NULL},
    {"mac", PROP_STRING, offsetof(struct virtio_net, mac_text), "address", NULL},
    {NULL},
};

const struct device_type virtio_net_pci_type = {
    .name = "virtio-net-pci",
    .doc = "A network card.",
    .size = sizeof(struct virtio_net),
    .props = props,
    .realize = realize,
    .reset = reset_device,
    .free = free_device,
    .is_pluggable = true,
};
