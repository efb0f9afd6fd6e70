// SPDX-License-Identifier: Apache-2.0
#include "dev/virtio/net_segment.h"
#include "base/bits.h"

#include <string.h>

enum { ETHERNET_SIZE = 14, VLAN_SIZE = 4, MAX_VLANS = 2, TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd };
enum { IPV4_SIZE = 20, IPV4_LENGTH = 2, IPV4_ID = 4, IPV4_SUM = 10, IPV4_ADDRESSES = 12 };
enum { IPV6_SIZE = 40, IPV6_LENGTH = 4, IPV6_ADDRESSES = 8 };
enum { TCP_SIZE = 20, TCP_SEQUENCE = 4, TCP_OFFSET = 12, TCP_FLAGS = 13, TCP_SUM = 16 };
enum { PROTOCOL_TCP = 6, FLAG_FIN = 1, FLAG_PSH = 8, FLAG_CWR = 0x80 };

u16 segment_sum(const u8 *p, u64 size, u32 sum)
{
    u64 s = sum;
    for (u64 i = 0; i + 1 < size; i += 2)
        s += load_be(p + i, 2);
    if (size % 2)
        s += (u64)p[size - 1] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (u16)s;
}

// The offset of the IP header behind VLAN tags, or 0.
static unsigned find_ip(const u8 *frame, u64 size, u16 type)
{
    for (unsigned at = 12, i = 0; i <= MAX_VLANS && at + 2 < size; i++, at += VLAN_SIZE) {
        u64 found = load_be(frame + at, 2);
        if (found == type)
            return at + 2;
        if (found != 0x8100 && found != 0x88a8)
            return 0;
    }
    return 0;
}

static bool ip_ends_at(const struct segment_plan *p, unsigned tcp)
{
    const u8 *ip = p->frame + p->ip;
    if (p->is_ipv6)
        return p->ip + IPV6_SIZE == tcp && ip[0] >> 4 == 6;
    return p->ip + IPV4_SIZE <= tcp && ip[0] >> 4 == 4 && p->ip + 4u * (ip[0] & 15) == tcp;
}

bool segment_plan(struct segment_plan *p, enum segment_kind kind, const u8 *frame, u64 size,
                  unsigned tcp, unsigned mss)
{
    *p = (struct segment_plan){
        .frame = frame, .size = size, .is_ipv6 = kind == SEGMENT_TCPV6, .tcp = tcp, .mss = mss};
    if (!mss || tcp + TCP_SIZE > size)
        return false;
    p->ip = find_ip(frame, size, p->is_ipv6 ? TYPE_IPV6 : TYPE_IPV4);
    p->payload = tcp + 4u * (frame[tcp + TCP_OFFSET] >> 4);
    if (!p->ip || !ip_ends_at(p, tcp) || p->payload < tcp + TCP_SIZE || p->payload >= size)
        return false;
    p->n = (unsigned)((size - p->payload + mss - 1) / mss);
    return true;
}

static void fill_ip(const struct segment_plan *p, unsigned i, u8 *ip, u64 size)
{
    if (p->is_ipv6) {
        store_be(ip + IPV6_LENGTH, size - p->ip - IPV6_SIZE, 2);
        return;
    }
    store_be(ip + IPV4_LENGTH, size - p->ip, 2);
    store_be(ip + IPV4_ID, load_be(ip + IPV4_ID, 2) + i, 2);
    store_be(ip + IPV4_SUM, 0, 2);
    store_be(ip + IPV4_SUM, (u16)~segment_sum(ip, p->tcp - p->ip, 0), 2);
}

// What comes only once: congestion news with the first segment, the end with the last.
static u8 flags_of(const struct segment_plan *p, unsigned i, u8 flags)
{
    if (i)
        flags &= (u8)~FLAG_CWR;
    if (i + 1 < p->n)
        flags &= (u8) ~(FLAG_FIN | FLAG_PSH);
    return flags;
}

static void fill_tcp(const struct segment_plan *p, unsigned i, u8 *to, u64 size)
{
    u8 *tcp = to + p->tcp;
    const u8 *ip = to + p->ip;
    u64 length = size - p->tcp;
    store_be(tcp + TCP_SEQUENCE, load_be(tcp + TCP_SEQUENCE, 4) + (u64)i * p->mss, 4);
    tcp[TCP_FLAGS] = flags_of(p, i, tcp[TCP_FLAGS]);
    store_be(tcp + TCP_SUM, 0, 2);
    u16 pseudo = p->is_ipv6 ? segment_sum(ip + IPV6_ADDRESSES, 32, PROTOCOL_TCP + (u32)length)
                            : segment_sum(ip + IPV4_ADDRESSES, 8, PROTOCOL_TCP + (u32)length);
    store_be(tcp + TCP_SUM, (u16)~segment_sum(tcp, length, pseudo), 2);
}

u64 segment_make(const struct segment_plan *p, unsigned i, u8 *to)
{
    u64 from = p->payload + (u64)i * p->mss;
    u64 n = p->size - from < p->mss ? p->size - from : p->mss;
    memcpy(to, p->frame, p->payload);
    memcpy(to + p->payload, p->frame + from, n);
    u64 size = p->payload + n;
    fill_ip(p, i, to + p->ip, size);
    fill_tcp(p, i, to, size);
    return size;
}
