// SPDX-License-Identifier: Apache-2.0
// Cuts a long TCP frame into segments, for cards whose drivers leave that to them.
#pragma once

#include "base/types.h"

enum segment_kind { SEGMENT_TCPV4 = 1, SEGMENT_TCPV6 = 4 }; // as in struct virtio_net_hdr

struct segment_plan {
    const u8 *frame; // borrowed
    u64 size;
    bool is_ipv6;
    unsigned ip, tcp, payload; // offsets in the frame
    unsigned mss;              // bytes of payload in each segment but the last
    unsigned n;                // segments
};

// Checks the headers. `tcp` is where the driver says that the TCP header is. False if the frame is
// not what it should be.
bool segment_plan(struct segment_plan *p, enum segment_kind kind, const u8 *frame, u64 size,
                  unsigned tcp, unsigned mss);

// Writes segment number i < n with all its checksums; returns its size, at most that of the frame.
u64 segment_make(const struct segment_plan *p, unsigned i, u8 *to);

// Ones' complement sum of big-endian words, on top of `sum`, RFC 1071. Not complemented.
u16 segment_sum(const u8 *p, u64 size, u32 sum);
