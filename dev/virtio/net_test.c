// SPDX-License-Identifier: Apache-2.0
// A card on a network that the test plays: frames both ways, merged buffers, full sides, checksums.
#include "dev/virtio/testbed.h"
#include "base/bits.h"
#include "host/net/netdev.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <stdlib.h>

enum { RX = 0, TX = 1, HEADER = 0x20000, DATA = 0x30000, HEADER_SIZE = 12 };

// Keeps the last frame sent to it, and the payloads of TCP segments one after the other.
struct wire {
    struct netdev n;
    u8 frame[NETDEV_MAX_FRAME];
    size_t size;
    unsigned header; // of segments
    u8 payload[NETDEV_MAX_FRAME];
    size_t n_payload;
    unsigned room; // frames until it is full; 0: any number
    unsigned n_sent, n_resumed;
    bool is_full, is_started;
};

// The sum over 16-bit words of what a checksum covers comes out as ones.
static u16 sum(const u8 *p, unsigned n)
{
    u32 s = 0;
    for (unsigned i = 0; i < n; i++)
        s += i % 2 ? p[i] : (u32)p[i] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (u16)s;
}

static void check_segment(const struct wire *w);

static int wire_send(struct netdev *n, const struct iovec *iov, int n_iov)
{
    struct wire *w = (struct wire *)n;
    if (w->is_full)
        return -EAGAIN;
    w->size = iov_read(iov, (unsigned)n_iov, 0, w->frame, sizeof(w->frame));
    w->n_sent++;
    if (w->header && w->size > w->header) {
        memcpy(w->payload + w->n_payload, w->frame + w->header, w->size - w->header);
        w->n_payload += w->size - w->header;
        check_segment(w);
    }
    w->is_full = w->room && !--w->room;
    return 0;
}

static void wire_resume(struct netdev *n)
{
    ((struct wire *)n)->n_resumed++;
}

static void wire_start(struct netdev *n)
{
    ((struct wire *)n)->is_started = true;
}

static void wire_free(struct netdev *n)
{
    CHECK(!n->client.receive);
    free(n);
}

static const struct netdev_ops wire_ops = {wire_send, wire_resume, wire_start, wire_free};

struct net {
    struct bed b;
    struct driver d;
    struct wire *w;
    unsigned n_cards;
};

static struct device *add_card(struct net *t, const char *options, struct err *e)
{
    char id[8], text[128];
    t->w = calloc(1, sizeof(*t->w));
    t->w->n.ops = &wire_ops;
    snprintf(id, sizeof(id), "n%u", t->n_cards++);
    snprintf(text, sizeof(text), "virtio-net-pci,netdev=%s%s", id, options);
    CHECK(backends_add_netdev(&t->b.backends, id, &t->w->n, e));
    return bed_device(&t->b, text, e);
}

static bool net_open(struct net *t, u64 features)
{
    struct err e = {0};
    memset(t, 0, sizeof(*t));
    bed_init(&t->b);
    return CHECK(add_card(t, "", &e) != NULL) && driver_probe(&t->d, &t->b, 1 << 3) &&
           driver_start(&t->d, features, true);
}

static bool offer(struct net *t, const u8 *frame, size_t size)
{
    mem_lock(&t->b.mem);
    bool taken = t->w->n.client.receive(t->w->n.client.opaque, frame, size);
    mem_unlock(&t->b.mem);
    return taken;
}

static void add_rx(struct net *t, u64 gpa, u32 size)
{
    struct piece p = {gpa, size, true};
    driver_add(&t->d, RX, &p, 1);
}

static const u8 *pattern(void)
{
    static u8 bytes[NETDEV_MAX_FRAME];
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (u8)(i * 31 + i / 256);
    return bytes;
}

TEST(configuration_has_the_address_and_a_link)
{
    struct net t;
    struct err e = {0};
    REQUIRE(net_open(&t, ~0ULL));
    CHECK(t.w->is_started);
    CHECK_EQ(driver_get(&t.d, t.d.config, 4), 0x12005452);
    CHECK_EQ(driver_get(&t.d, t.d.config + 4, 2), 0x5634);
    CHECK_EQ(driver_get(&t.d, t.d.config + offsetof(struct virtio_net_config, status), 2),
             VIRTIO_NET_S_LINK_UP);
    REQUIRE(add_card(&t, "", &e) != NULL);
    REQUIRE(driver_probe(&t.d, &t.b, 2 << 3));
    CHECK_EQ(driver_get(&t.d, t.d.config + 4, 2), 0x5734); // the next address
    REQUIRE(add_card(&t, ",mac=02:00:00:AB:cd:0f", &e) != NULL);
    REQUIRE(driver_probe(&t.d, &t.b, 3 << 3));
    CHECK_EQ(driver_get(&t.d, t.d.config, 4), 0xab000002);
    CHECK_EQ(driver_get(&t.d, t.d.config + 4, 2), 0x0fcd);
    static const char *const bad[] = {",mac=",
                                      ",mac=1",
                                      ",mac=01:00:00:00:00:00",
                                      ",mac=00:00:00:00:00:00",
                                      ",mac=02:00:00:00:00:00:00",
                                      ",mac=02:00:00:00:00:123"};
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!add_card(&t, bad[i], &e));
    CHECK(!bed_device(&t.b, "virtio-net-pci,netdev=n99", &e));
    bed_free(&t.b);
}

TEST(frames_go_out)
{
    struct net t;
    REQUIRE(net_open(&t, ~0ULL));
    memset(t.b.ram + HEADER, 0, HEADER_SIZE);
    memcpy(t.b.ram + DATA, pattern(), 2000);
    struct piece whole[] = {{HEADER, HEADER_SIZE, false}, {DATA, 60, false}};
    CHECK_EQ(driver_do(&t.d, TX, whole, 2), 0);
    CHECK_EQ(t.w->size, 60);
    CHECK(!memcmp(t.w->frame, pattern(), 60));
    struct piece pieces[] = {{HEADER, 5, false},
                             {HEADER + 5, 7, false},
                             {DATA, 14, false},
                             {DATA + 14, 1000, false},
                             {DATA + 1014, 500, false}};
    CHECK_EQ(driver_do(&t.d, TX, pieces, 5), 0);
    CHECK_EQ(t.w->size, 1514);
    CHECK(!memcmp(t.w->frame, pattern(), 1514));
    // Too short, too long, and not to be cut: dropped, and given back.
    struct piece tiny[] = {{HEADER, HEADER_SIZE, false}, {DATA, 13, false}};
    CHECK_EQ(driver_do(&t.d, TX, tiny, 2), 0);
    struct piece huge[] = {{HEADER, HEADER_SIZE, false}, {DATA, 0x40000, false}};
    CHECK_EQ(driver_do(&t.d, TX, huge, 2), 0);
    t.b.ram[HEADER + 1] = VIRTIO_NET_HDR_GSO_TCPV4;
    CHECK_EQ(driver_do(&t.d, TX, whole, 2), 0);
    CHECK_EQ(t.w->n_sent, 2);
    CHECK_EQ(driver_status(&t.d), 15);
    struct piece cut[] = {{HEADER, 11, false}};
    driver_add(&t.d, TX, cut, 1);
    driver_kick(&t.d, TX);
    CHECK(driver_status(&t.d) & VIRTIO_CONFIG_S_NEEDS_RESET);
    bed_free(&t.b);
}

TEST(frames_wait_for_a_full_network)
{
    struct net t;
    REQUIRE(net_open(&t, ~0ULL));
    memset(t.b.ram + HEADER, 0, HEADER_SIZE);
    struct piece p[] = {{HEADER, HEADER_SIZE, false}, {DATA, 60, false}};
    t.w->is_full = true;
    driver_add(&t.d, TX, p, 2);
    driver_add(&t.d, TX, p, 2);
    driver_kick(&t.d, TX);
    CHECK_EQ(driver_n_used(&t.d, TX), 0);
    t.w->is_full = false;
    mem_lock(&t.b.mem);
    t.w->n.client.writable(t.w->n.client.opaque);
    mem_unlock(&t.b.mem);
    CHECK_EQ(driver_n_used(&t.d, TX), 2);
    CHECK_EQ(t.w->n_sent, 2);
    bed_free(&t.b);
}

TEST(frames_come_in)
{
    for (int merged = 0; merged < 2; merged++) {
        struct net t;
        REQUIRE(net_open(&t, merged ? ~0ULL : ~BIT(VIRTIO_NET_F_MRG_RXBUF)));
        CHECK(!offer(&t, pattern(), 100)); // no buffers: kept by the network
        unsigned resumed = t.w->n_resumed;
        add_rx(&t, DATA, 2048);
        driver_kick(&t.d, RX);
        CHECK_EQ(t.w->n_resumed, resumed + 1);
        CHECK(offer(&t, pattern(), 100));
        CHECK_EQ(driver_wait(&t.d, RX, NULL), 112);
        CHECK_EQ(load_le(t.b.ram + DATA + 10, 2), 1);
        CHECK_EQ(t.b.ram[DATA], 0); // not trusted
        CHECK(!memcmp(t.b.ram + DATA + HEADER_SIZE, pattern(), 100));
        CHECK_EQ(driver_n_interrupts(&t.d, RX), 1);
        t.w->n.is_trusted = true;
        add_rx(&t, DATA, 2048);
        CHECK(offer(&t, pattern(), 1514));
        CHECK_EQ(driver_wait(&t.d, RX, NULL), 1526);
        CHECK_EQ(t.b.ram[DATA], VIRTIO_NET_HDR_F_DATA_VALID);
        bed_free(&t.b);
    }
}

TEST(long_frames_take_several_buffers)
{
    struct net t;
    REQUIRE(net_open(&t, ~0ULL));
    for (unsigned i = 0; i < 3; i++)
        add_rx(&t, DATA + 0x1000 * i, 512);
    CHECK(!offer(&t, pattern(), 1600)); // one too few
    CHECK_EQ(driver_n_used(&t.d, RX), 0);
    // With an event index the driver tells about the fourth, not about those we know.
    CHECK_EQ(load_le(t.b.ram + t.d.rings[RX].gpa + RING_USED + 4 + 8 * RING_SIZE, 2), 3);
    add_rx(&t, DATA + 0x3000, 512);
    CHECK(offer(&t, pattern(), 1600));
    CHECK_EQ(driver_n_used(&t.d, RX), 4);
    CHECK_EQ(load_le(t.b.ram + DATA + 10, 2), 4);
    u8 got[1612];
    u32 total = 0;
    for (unsigned i = 0; i < 4; i++) {
        s64 n = driver_wait(&t.d, RX, NULL);
        memcpy(got + total, t.b.ram + DATA + 0x1000 * i, (size_t)n);
        total += (u32)n;
    }
    CHECK_EQ(total, 1612);
    CHECK(!memcmp(got + HEADER_SIZE, pattern(), 1600));
    // What the whole ring cannot hold is dropped.
    for (unsigned i = 0; i < RING_SIZE; i++)
        add_rx(&t, DATA, 100);
    CHECK(offer(&t, pattern(), 65536));
    CHECK_EQ(driver_n_used(&t.d, RX), 0);
    CHECK(offer(&t, pattern(), 1000));
    CHECK_EQ(driver_n_used(&t.d, RX), 11);
    bed_free(&t.b);
}

TEST(without_merging_a_frame_needs_one_buffer)
{
    struct net t;
    REQUIRE(net_open(&t, ~BIT(VIRTIO_NET_F_MRG_RXBUF)));
    add_rx(&t, DATA, 100);
    add_rx(&t, DATA + 0x1000, 2000);
    CHECK(offer(&t, pattern(), 200)); // dropped
    CHECK_EQ(driver_n_used(&t.d, RX), 0);
    CHECK(offer(&t, pattern(), 80));
    CHECK_EQ(driver_wait(&t.d, RX, NULL), 92);
    // The header may be scattered.
    struct piece p[] = {
        {DATA, 1, true}, {DATA + 1, 10, true}, {DATA + 11, 3, true}, {DATA + 14, 100, true}};
    CHECK(offer(&t, pattern(), 20)); // uses the other one
    driver_wait(&t.d, RX, NULL);
    driver_add(&t.d, RX, p, 4);
    CHECK(offer(&t, pattern(), 60));
    CHECK_EQ(driver_wait(&t.d, RX, NULL), 72);
    CHECK_EQ(load_le(t.b.ram + DATA + 10, 2), 1);
    CHECK(!memcmp(t.b.ram + DATA + HEADER_SIZE, pattern(), 60));
    add_rx(&t, DATA, 11);
    CHECK(offer(&t, pattern(), 60));
    CHECK(driver_status(&t.d) & VIRTIO_CONFIG_S_NEEDS_RESET);
    CHECK(offer(&t, pattern(), 60)); // and on
    bed_free(&t.b);
}

TEST(a_card_that_is_not_running_drops)
{
    struct net t;
    REQUIRE(net_open(&t, ~0ULL));
    CHECK(!offer(&t, pattern(), 100));
    unsigned resumed = t.w->n_resumed;
    driver_reset(&t.d);
    CHECK(t.w->n_resumed > resumed); // the frame that waits is offered again
    CHECK(offer(&t, pattern(), 100));
    bed_free(&t.b);
}

TEST(checksums_are_completed)
{
    struct net t;
    REQUIRE(net_open(&t, ~0ULL));
    for (unsigned size = 60; size < 62; size++) { // odd and even
        u8 *h = t.b.ram + HEADER;
        memset(h, 0, HEADER_SIZE);
        h[0] = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        store_le(h + 6, 34, 2);
        store_le(h + 8, 16, 2);
        memcpy(t.b.ram + DATA, pattern(), size);
        store_be(t.b.ram + DATA + 34 + 16, 0x1234, 2); // of the pseudo header
        struct piece p[] = {{HEADER, HEADER_SIZE, false}, {DATA, size, false}};
        CHECK_EQ(driver_do(&t.d, TX, p, 2), 0);
        CHECK_EQ(t.w->size, size);
        // The sum with the pseudo header's part is all ones.
        u32 s = sum(t.w->frame + 34, size - 34) + 0x1234u;
        CHECK_EQ((s & 0xffff) + (s >> 16), 0xffff);
        CHECK(!memcmp(t.w->frame, pattern(), 50));
    }
    // Outside of the frame: dropped.
    static const u16 bad[][2] = {{60, 0}, {34, 25}, {0xffff, 0xffff}, {0, 59}};
    unsigned before = t.w->n_sent;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        store_le(t.b.ram + HEADER + 6, bad[i][0], 2);
        store_le(t.b.ram + HEADER + 8, bad[i][1], 2);
        struct piece p[] = {{HEADER, HEADER_SIZE, false}, {DATA, 60, false}};
        CHECK_EQ(driver_do(&t.d, TX, p, 2), 0);
    }
    CHECK_EQ(t.w->n_sent, before);
    bed_free(&t.b);
}

enum { IP = 14, SEQUENCE = 1000 };

// Lengths, numbers and sums of a segment of the frame that make_tcp made.
static void check_segment(const struct wire *w)
{
    const u8 *ip = w->frame + IP, *tcp = w->frame + w->header - 20;
    bool is_ipv6 = w->frame[12] == 0x86;
    u32 length = (u32)(w->size - w->header + 20);
    u32 pseudo = 6 + length;
    if (is_ipv6) {
        CHECK_EQ(load_be(ip + 4, 2), length);
        pseudo += sum(ip + 8, 32);
    } else {
        CHECK_EQ(load_be(ip + 2, 2), length + 20);
        CHECK_EQ(load_be(ip + 4, 2), 77 + w->n_sent - 1); // identification
        CHECK_EQ(sum(ip, 20), 0xffff);
        pseudo += sum(ip + 12, 8);
    }
    u32 all = sum(tcp, length) + pseudo;
    while (all >> 16)
        all = (all & 0xffff) + (all >> 16);
    CHECK_EQ(all, 0xffff);
    CHECK_EQ(load_be(tcp + 4, 4), SEQUENCE + w->n_payload - (w->size - w->header));
}

static void make_tcp(struct net *t, bool is_ipv6, u32 payload, u16 mss)
{
    u8 *h = t->b.ram + HEADER, *f = t->b.ram + DATA, *ip = f + IP, *tcp = ip + (is_ipv6 ? 40 : 20);
    memset(h, 0, HEADER_SIZE);
    h[0] = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    h[1] = is_ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN;
    store_le(h + 4, mss, 2);
    store_le(h + 6, (u64)(tcp - f), 2);
    store_le(h + 8, 16, 2);
    memcpy(f, pattern(), 74);
    store_be(f + 12, is_ipv6 ? 0x86dd : 0x0800, 2);
    ip[0] = is_ipv6 ? 0x60 : 0x45;
    if (!is_ipv6)
        store_be(ip + 4, 77, 2);
    store_be(tcp + 4, SEQUENCE, 4);
    tcp[12] = 0x50;
    tcp[13] = 0x99; // CWR, ACK, PSH, FIN
    memcpy(tcp + 20, pattern(), payload);
    t->w->header = (unsigned)(tcp + 20 - f);
    t->w->n_sent = 0;
    t->w->n_payload = 0;
}

TEST(long_frames_are_cut)
{
    struct net t;
    REQUIRE(net_open(&t, ~0ULL));
    for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
        make_tcp(&t, is_ipv6, 50001, 1460);
        struct piece p[] = {{HEADER, HEADER_SIZE, false}, {DATA, t.w->header + 50001, false}};
        t.w->room = is_ipv6 ? 0 : 10; // the network fills up in between
        u16 head = driver_add(&t.d, TX, p, 2), used;
        driver_kick(&t.d, TX);
        CHECK_EQ(t.w->n_sent, is_ipv6 ? 35 : 10);
        CHECK_EQ(t.w->frame[t.w->header - 7], is_ipv6 ? 0x19 : 0x10); // flags of the last
        t.w->is_full = false;
        mem_lock(&t.b.mem);
        t.w->n.client.writable(t.w->n.client.opaque);
        mem_unlock(&t.b.mem);
        CHECK_EQ(t.w->n_sent, 35);
        CHECK_EQ(t.w->frame[t.w->header - 7], 0x19);
        CHECK_EQ(t.w->n_payload, 50001);
        CHECK(!memcmp(t.w->payload, pattern(), 50001));
        CHECK_EQ(driver_wait(&t.d, TX, &used), 0);
        CHECK_EQ(used, head);
    }
    // One segment is the whole frame; tiny ones take several turns.
    make_tcp(&t, false, 100, 1460);
    struct piece p[] = {{HEADER, HEADER_SIZE, false}, {DATA, t.w->header + 100, false}};
    CHECK_EQ(driver_do(&t.d, TX, p, 2), 0);
    CHECK_EQ(t.w->n_sent, 1);
    CHECK_EQ(t.w->frame[t.w->header - 7], 0x99);
    make_tcp(&t, false, 100, 1);
    driver_add(&t.d, TX, p, 2);
    driver_kick(&t.d, TX);
    CHECK_EQ(t.w->n_sent, 64);
    bed_run_timers(&t.b);
    CHECK_EQ(t.w->n_sent, 100);
    CHECK_EQ(driver_wait(&t.d, TX, NULL), 0);
    bed_free(&t.b);
}

TEST(frames_that_cannot_be_cut_are_dropped)
{
    static const struct {
        u16 offset;
        u8 value;
        bool in_header;
    } bad[] = {{1, VIRTIO_NET_HDR_GSO_UDP, true},
               {1, VIRTIO_NET_HDR_GSO_TCPV6, true},
               {6, 33, true}, // TCP not where IP ends
               {7, 0xff, true},
               {12, 0x07, false}, // not IP
               {14, 0x65, false},
               {14, 0x41, false},
               {14, 0x4f, false},
               {46, 0x40, false},  // TCP header too short
               {46, 0xf0, false}}; // longer than the frame
    struct net t;
    REQUIRE(net_open(&t, ~0ULL));
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        make_tcp(&t, false, 30, 10);
        t.b.ram[(bad[i].in_header ? HEADER : DATA) + bad[i].offset] = bad[i].value;
        struct piece p[] = {{HEADER, HEADER_SIZE, false}, {DATA, 84, false}};
        CHECK_EQ(driver_do(&t.d, TX, p, 2), 0);
        CHECK_EQ(t.w->n_sent, 0);
    }
    make_tcp(&t, false, 30, 0);
    struct piece p[] = {{HEADER, HEADER_SIZE, false}, {DATA, 84, false}};
    CHECK_EQ(driver_do(&t.d, TX, p, 2), 0);
    CHECK_EQ(t.w->n_sent, 0);
    CHECK_EQ(driver_status(&t.d), 15);
    bed_free(&t.b);
}
