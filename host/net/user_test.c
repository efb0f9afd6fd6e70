// SPDX-License-Identifier: Apache-2.0
// The network as a card sees it: ARP, DHCP and TCP both ways, with the host's loopback only.
#include "host/net/netdev.h"
#include "base/bits.h"
#include "base/bug.h"
#include "base/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOST_IP = 0x0a000202, GUEST_IP = 0x0a00020f };
enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

static const u8 guest_mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

struct card {
    struct netdev *n;
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct {
        u8 bytes[2048];
        size_t size;
    } frames[64]; // received, a ring
    unsigned n_received, n_read;
    bool is_busy; // refuses
    u8 host_mac[6];
};

static bool receive(void *opaque, const u8 *frame, size_t size)
{
    struct card *c = opaque;
    if (c->is_busy || c->n_received - c->n_read == ARRAY_LEN(c->frames))
        return false;
    unsigned at = c->n_received++ % ARRAY_LEN(c->frames);
    c->frames[at].size = size < 2048 ? size : 2048;
    memcpy(c->frames[at].bytes, frame, c->frames[at].size);
    pthread_cond_broadcast(&c->arrived);
    return true;
}

static bool card_open(struct card *c, const char *text)
{
    struct err e = {0};
    char *id;
    memset(c, 0, sizeof(*c));
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->arrived, NULL);
    c->n = netdev_open(text, &id, &e);
    free(id);
    if (!CHECK(c->n != NULL)) {
        printf("# %s\n", e.text);
        return false;
    }
    struct netdev_client client = {.receive = receive, .opaque = c};
    netdev_attach(c->n, &client, &c->lock);
    return true;
}

static void card_close(struct card *c)
{
    netdev_detach(c->n);
    netdev_free(c->n);
}

static void card_send(struct card *c, const u8 *frame, size_t size)
{
    struct iovec v = {(u8 *)(uintptr_t)frame, size};
    pthread_mutex_lock(&c->lock);
    CHECK_EQ(netdev_send(c->n, &v, 1), 0);
    pthread_mutex_unlock(&c->lock);
}

// The next frame, of at most 2048 bytes; 0 after five seconds without one.
static size_t card_read(struct card *c, u8 *frame)
{
    struct timespec end;
    size_t size = 0;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 5;
    pthread_mutex_lock(&c->lock);
    int error = 0;
    while (c->n_read == c->n_received && !error)
        error = pthread_cond_timedwait(&c->arrived, &c->lock, &end);
    if (!error) {
        unsigned at = c->n_read++ % ARRAY_LEN(c->frames);
        size = c->frames[at].size;
        memcpy(frame, c->frames[at].bytes, size);
        netdev_resume(c->n);
    }
    pthread_mutex_unlock(&c->lock);
    return size;
}

static u16 sum(const u8 *p, size_t n, u32 s)
{
    for (size_t i = 0; i < n; i++)
        s += i % 2 ? p[i] : (u32)p[i] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (u16)s;
}

static void put_ethernet(u8 *f, const u8 *to, u16 type)
{
    memcpy(f, to, 6);
    memcpy(f + 6, guest_mac, 6);
    store_be(f + 12, type, 2);
}

static void put_ip(u8 *f, u8 protocol, size_t size, u32 from, u32 to)
{
    u8 *ip = f + 14;
    memset(ip, 0, 20);
    ip[0] = 0x45;
    store_be(ip + 2, 20 + size, 2);
    ip[8] = 64;
    ip[9] = protocol;
    store_be(ip + 12, from, 4);
    store_be(ip + 16, to, 4);
    store_be(ip + 10, (u16)~sum(ip, 20, 0), 2);
}

static bool resolve(struct card *c)
{
    static const u8 all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    u8 f[2048] = {0};
    put_ethernet(f, all, 0x0806);
    store_be(f + 14, 0x0001080006040001, 8); // Ethernet, IPv4, request
    memcpy(f + 22, guest_mac, 6);
    store_be(f + 28, GUEST_IP, 4);
    store_be(f + 38, HOST_IP, 4);
    card_send(c, f, 60);
    while (card_read(c, f)) {
        if (load_be(f + 12, 2) != 0x0806 || load_be(f + 20, 2) != 2)
            continue;
        memcpy(c->host_mac, f + 22, 6);
        return CHECK_EQ(load_be(f + 28, 4), HOST_IP) && CHECK(!memcmp(f, guest_mac, 6));
    }
    return CHECK(!"an answer came");
}

TEST(arp_finds_the_gateway)
{
    struct card c;
    REQUIRE(card_open(&c, "user,id=n0"));
    CHECK(c.n->is_trusted);
    CHECK(resolve(&c));
    card_close(&c);
}

// A DHCP message with one option; the answer's type and address.
static u8 dhcp(struct card *c, u8 type, u32 *address, u32 *router)
{
    static const u8 all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    u8 f[2048] = {0}, *d = f + 14 + 20 + 8;
    size_t size = 240 + 12;
    put_ethernet(f, all, 0x0800);
    put_ip(f, 17, 8 + size, 0, 0xffffffff);
    store_be(f + 34, 68, 2);
    store_be(f + 36, 67, 2);
    store_be(f + 38, 8 + size, 2);
    store_be(d, 0x01010600, 4);
    store_be(d + 4, 0x12345678, 4);
    memcpy(d + 28, guest_mac, 6);
    store_be(d + 236, 0x63825363, 4);
    store_be(d + 240, 0x350100 | type, 3);
    store_be(d + 243, 0x3204, 2); // the address we ask for
    store_be(d + 245, GUEST_IP, 4);
    d[249] = 0xff;
    card_send(c, f, 42 + size);
    size_t got;
    while ((got = card_read(c, f)))
        if (got > 42 + 240 && load_be(f + 36, 2) == 68 && load_be(d + 4, 4) == 0x12345678)
            break;
    u8 answer = 0;
    *address = (u32)load_be(d + 16, 4);
    for (size_t i = 240; got && 42 + i + 2 < got && d[i] != 0xff; i += d[i] ? 2u + d[i + 1] : 1u) {
        if (d[i] == 53)
            answer = d[i + 2];
        if (d[i] == 3)
            *router = (u32)load_be(d + i + 2, 4);
    }
    return answer;
}

TEST(dhcp_gives_an_address)
{
    struct card c;
    u32 address = 0, router = 0;
    REQUIRE(card_open(&c, "user,id=n0,hostname=guest"));
    CHECK_EQ(dhcp(&c, 1, &address, &router), 2); // discover, offer
    CHECK_EQ(address, GUEST_IP);
    CHECK_EQ(dhcp(&c, 3, &address, &router), 5); // request, ack
    CHECK_EQ(address, GUEST_IP);
    CHECK_EQ(router, HOST_IP);
    card_close(&c);
}

// As much TCP as a connection without losses needs.
struct tcp {
    struct card *c;
    u16 port, peer_port;
    u32 next, acked; // ours, and the peer's
};

static void tcp_send(struct tcp *t, u8 flags, const void *data, size_t size)
{
    u8 f[2048], *p = f + 34;
    put_ethernet(f, t->c->host_mac, 0x0800);
    put_ip(f, 6, 20 + size, GUEST_IP, HOST_IP);
    memset(p, 0, 20);
    store_be(p, t->port, 2);
    store_be(p + 2, t->peer_port, 2);
    store_be(p + 4, t->next, 4);
    store_be(p + 8, flags & ACK ? t->acked : 0, 4);
    p[12] = 5 << 4;
    p[13] = flags;
    store_be(p + 14, 32768, 2);
    if (size)
        memcpy(p + 20, data, size);
    u32 pseudo = sum(f + 26, 8, 6 + 20 + (u32)size);
    store_be(p + 16, (u16)~sum(p, 20 + size, pseudo), 2);
    card_send(t->c, f, 54 + size);
    t->next += (u32)size + (flags & (SYN | FIN) ? 1 : 0);
}

// The next segment for us; its flags, and its data in *data. 0 if none comes.
static u8 tcp_read(struct tcp *t, u8 *f, const u8 **data, size_t *size)
{
    size_t n;
    while ((n = card_read(t->c, f))) {
        if (load_be(f + 12, 2) == 0x0806 && load_be(f + 20, 2) == 1) { // they ask for us
            put_ethernet(f, t->c->host_mac, 0x0806);
            f[21] = 2;
            memcpy(f + 32, f + 22, 10);
            memcpy(f + 22, guest_mac, 6);
            store_be(f + 28, GUEST_IP, 4);
            card_send(t->c, f, 60);
            continue;
        }
        const u8 *p = f + 34;
        if (n < 54 || load_be(f + 12, 2) != 0x0800 || f[23] != 6 || load_be(p + 2, 2) != t->port)
            continue;
        size_t header = (size_t)(p[12] >> 4) * 4;
        *data = p + header;
        *size = load_be(f + 16, 2) - 20 - header;
        t->peer_port = (u16)load_be(p, 2);
        u8 flags = p[13];
        if (flags & SYN || load_be(p + 4, 4) == t->acked)
            t->acked = (u32)load_be(p + 4, 4) + (u32)*size + (flags & (SYN | FIN) ? 1 : 0);
        return flags;
    }
    return 0;
}

static int listen_on_loopback(u16 *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BUG_ON(fd < 0 || bind(fd, (struct sockaddr *)&a, size) < 0 || listen(fd, 1) < 0 ||
           getsockname(fd, (struct sockaddr *)&a, &size) < 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void *echo(void *opaque)
{
    int fd = accept(*(int *)opaque, NULL, NULL);
    char bytes[4096];
    ssize_t n;
    while ((n = read(fd, bytes, sizeof(bytes))) > 0)
        if (write(fd, bytes, (size_t)n) != n)
            break;
    close(fd);
    return NULL;
}

// Sends `total` bytes in segments, and reads until as many came back. Returns how many were right.
static size_t exchange(struct tcp *t, size_t total)
{
    u8 f[2048], out[1000];
    const u8 *data;
    size_t size, sent = 0, got = 0, good = 0;
    while (got < total) {
        if (sent < total && sent - got < 8000) {
            for (size_t i = 0; i < sizeof(out); i++)
                out[i] = (u8)((sent + i) * 7);
            tcp_send(t, ACK | PSH, out, sizeof(out));
            sent += sizeof(out);
            continue;
        }
        if (!tcp_read(t, f, &data, &size))
            break;
        for (size_t i = 0; i < size; i++)
            good += data[i] == (u8)((got + i) * 7);
        got += size;
        if (size)
            tcp_send(t, ACK, NULL, 0);
    }
    return good;
}

TEST(tcp_reaches_the_hosts_loopback)
{
    struct card c;
    struct tcp t = {.c = &c, .port = 5000, .next = 1000};
    u8 f[2048];
    const u8 *data;
    size_t size;
    pthread_t thread;
    int fd = listen_on_loopback(&t.peer_port);
    BUG_ON(pthread_create(&thread, NULL, echo, &fd));
    REQUIRE(card_open(&c, "user"));
    REQUIRE(resolve(&c));
    tcp_send(&t, SYN, NULL, 0);
    CHECK_EQ(tcp_read(&t, f, &data, &size), SYN | ACK);
    tcp_send(&t, ACK, NULL, 0);
    CHECK_EQ(exchange(&t, 100000), 100000);
    tcp_send(&t, FIN | ACK, NULL, 0);
    u8 flags;
    do
        flags = tcp_read(&t, f, &data, &size);
    while (flags && !(flags & FIN));
    CHECK(flags & FIN);
    tcp_send(&t, ACK, NULL, 0);
    card_close(&c);
    pthread_join(thread, NULL);
    close(fd);
}

static int connect_to(u16 port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BUG_ON(fd < 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

TEST(forwarded_ports_reach_the_guest)
{
    struct card c;
    struct tcp t = {.c = &c, .port = 22, .next = 7000};
    u8 f[2048];
    const u8 *data;
    size_t size;
    u16 port;
    char text[100], got[16] = {0};
    close(listen_on_loopback(&port)); // free a moment ago
    snprintf(text, sizeof(text), "user,hostfwd=tcp:127.0.0.1:%u-:22", port);
    REQUIRE(card_open(&c, text));
    REQUIRE(resolve(&c));
    int fd = connect_to(port);
    REQUIRE(fd >= 0);
    CHECK_EQ(tcp_read(&t, f, &data, &size), SYN);
    tcp_send(&t, SYN | ACK, NULL, 0);
    CHECK_EQ(tcp_read(&t, f, &data, &size), ACK);
    CHECK_EQ(write(fd, "ping", 4), 4);
    CHECK(tcp_read(&t, f, &data, &size) & ACK);
    CHECK_EQ(size, 4);
    CHECK(!memcmp(data, "ping", 4));
    tcp_send(&t, ACK | PSH, "pong", 4);
    CHECK_EQ(read(fd, got, sizeof(got)), 4);
    CHECK_STR(got, "pong");
    close(fd);
    card_close(&c);
}

TEST(a_busy_card_gets_its_frames_later)
{
    struct card c;
    u8 f[2048];
    REQUIRE(card_open(&c, "user,ipv6=off"));
    REQUIRE(resolve(&c));
    pthread_mutex_lock(&c.lock);
    c.is_busy = true;
    pthread_mutex_unlock(&c.lock);
    static const u8 all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    u8 q[60] = {0};
    put_ethernet(q, all, 0x0806);
    store_be(q + 14, 0x0001080006040001, 8);
    memcpy(q + 22, guest_mac, 6);
    store_be(q + 28, GUEST_IP, 4);
    store_be(q + 38, HOST_IP, 4);
    for (int i = 0; i < 5; i++)
        card_send(&c, q, sizeof(q));
    usleep(20000);
    CHECK_EQ(c.n_received, c.n_read);
    pthread_mutex_lock(&c.lock);
    c.is_busy = false;
    netdev_resume(c.n);
    pthread_mutex_unlock(&c.lock);
    for (int i = 0; i < 5; i++)
        CHECK(card_read(&c, f) >= 42);
    card_close(&c);
}

static void check_error(const char *text, const char *wanted)
{
    struct err e = {0};
    char *id;
    CHECK(!netdev_open(text, &id, &e));
    CHECK(!id);
    if (!CHECK(strstr(e.text, wanted) != NULL))
        printf("# %s\n", e.text);
}

TEST(wrong_options_say_what_is_wrong)
{
    static const char *const bad[] = {
        "",
        "tcp",
        "tcp::22",
        "tcp::22-:",
        "tcp::x-:22",
        "tcp::22-:x",
        "tcp::22-:0",
        "tcp::65536-:22",
        "icmp::22-:22",
        "tcp:1.2.3:22-:22",
        "tcp::22-1.2:22",
        "tcp::22-:22x",
        "tcp::-1-:22",
        "tcp:::22-:22",
    };
    char text[200];
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(text, sizeof(text), "user,id=n0,hostfwd=%s", bad[i]);
        check_error(text, "is not [tcp|udp]:[HOST]:PORT-[GUEST]:PORT");
    }
    check_error("user,id=n0,colour=red", "netdev n0: there is no 'colour'; see: user,");
    check_error("user,restrict=7", "netdev: restrict=7");
    u16 port;
    int fd = listen_on_loopback(&port);
    snprintf(text, sizeof(text), "user,id=n0,hostfwd=tcp:127.0.0.1:%u-:22", port);
    check_error(text, "Address already in use");
    close(fd);
}
