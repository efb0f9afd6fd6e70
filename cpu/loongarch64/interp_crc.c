// SPDX-License-Identifier: Apache-2.0
// CRC-32 steps over 1 to 8 bytes, least significant bit first, without inversion before or after.
// Reference Manual, volume 1, 2.2.9.
#include "cpu/loongarch64/interp.h"

// Bit-reversed polynomials.
enum { POLY_IEEE802_3 = 0xedb88320, POLY_CASTAGNOLI = 0x82f63b78 };

static u64 crc_step(u32 crc, u64 message, unsigned n_bits, u32 poly)
{
    for (unsigned n = 0; n < n_bits; n++) {
        bool odd = (crc ^ message >> n) & 1;
        crc = crc >> 1 ^ (odd ? poly : 0);
    }
    return word(crc);
}

#define CRC(name, n_bits, poly)                                                           \
    INSN(name)                                                                            \
    {                                                                                     \
        set_gpr(c, i->rd, crc_step((u32)c->gpr[i->rk], c->gpr[i->rj], (n_bits), (poly))); \
    }

CRC(crc_w_b_w, 8, POLY_IEEE802_3)
CRC(crc_w_h_w, 16, POLY_IEEE802_3)
CRC(crc_w_w_w, 32, POLY_IEEE802_3)
CRC(crc_w_d_w, 64, POLY_IEEE802_3)
CRC(crcc_w_b_w, 8, POLY_CASTAGNOLI)
CRC(crcc_w_h_w, 16, POLY_CASTAGNOLI)
CRC(crcc_w_w_w, 32, POLY_CASTAGNOLI)
CRC(crcc_w_d_w, 64, POLY_CASTAGNOLI)
