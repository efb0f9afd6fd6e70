// SPDX-License-Identifier: Apache-2.0
// Vector instructions by name: VOP of jit/x86_64/emit.h. Names are the manual's, without a suffix
// for the encoding. X_IMM: the group of shifts by an immediate, with the digit that selects one.
#pragma once

#include "jit/x86_64/emit.h"

// The maps with prefix 66, which most have. _Q: elements of 64 bits, whose EVEX encoding has W set.
#define OP_0F(op)          VOP(VPP_66, VMAP_0F, 0, op)
#define OP_0F_Q(op)        (VOP(VPP_66, VMAP_0F, 1, op) | VOP_EVEX_W)
#define OP_0F38(op)        VOP(VPP_66, VMAP_0F38, 0, op)
#define OP_0F38_Q(op)      (VOP(VPP_66, VMAP_0F38, 1, op) | VOP_EVEX_W)
#define OP_0F3A(op)        VOP(VPP_66, VMAP_0F3A, 0, op)
#define OP_0F3A_Q(op)      (VOP(VPP_66, VMAP_0F3A, 1, op) | VOP_EVEX_W)
#define OP_0F38_W1(op)     VOP(VPP_66, VMAP_0F38, 1, op)
#define OP_0F3A_W1(op)     VOP(VPP_66, VMAP_0F3A, 1, op)
#define OP_VEX_0F(op)      (OP_0F(op) | VOP_VEX)
#define OP_VEX_0F38(op)    (OP_0F38(op) | VOP_VEX)
#define OP_VEX_0F3A(op)    (OP_0F3A(op) | VOP_VEX)
#define OP_EVEX_0F(op)     (OP_0F(op) | VOP_EVEX)
#define OP_EVEX_0F_Q(op)   (VOP(VPP_66, VMAP_0F, 1, op) | VOP_EVEX)
#define OP_EVEX_0F38(op)   (OP_0F38(op) | VOP_EVEX)
#define OP_EVEX_0F38_Q(op) (OP_0F38_W1(op) | VOP_EVEX)
#define OP_EVEX_0F3A(op)   (OP_0F3A(op) | VOP_EVEX)
#define OP_EVEX_0F3A_Q(op) (OP_0F3A_W1(op) | VOP_EVEX)

enum {
    // Moves. The 32-bit and 64-bit ones zero the rest of the register if they load.
    VMOVDQU = VOP(VPP_F3, VMAP_0F, 0, 0x6f) | VOP_ONE,
    VMOVDQU_STORE = VOP(VPP_F3, VMAP_0F, 0, 0x7f) | VOP_ONE,
    VMOVAPS = VOP(VPP_NONE, VMAP_0F, 0, 0x28) | VOP_ONE,
    VMOVD_LOAD = VOP(VPP_66, VMAP_0F, 0, 0x6e) | VOP_ONE, // from a general register or memory
    VMOVQ_LOAD = VOP(VPP_66, VMAP_0F, 1, 0x6e) | VOP_ONE,
    VMOVD_STORE = VOP(VPP_66, VMAP_0F, 0, 0x7e) | VOP_ONE,
    VMOVQ_STORE = VOP(VPP_66, VMAP_0F, 1, 0x7e) | VOP_ONE,
    VMOVSS_LOAD = VOP(VPP_F3, VMAP_0F, 0, 0x10) | VOP_ONE,
    VMOVSS_STORE = VOP(VPP_F3, VMAP_0F, 0, 0x11) | VOP_ONE,
    VMOVSD_LOAD = VOP(VPP_F2, VMAP_0F, 1, 0x10) | VOP_ONE | VOP_EVEX_W,
    VMOVSD_STORE = VOP(VPP_F2, VMAP_0F, 1, 0x11) | VOP_ONE | VOP_EVEX_W,
    VMOVQ = VOP(VPP_F3, VMAP_0F, 1, 0x7e) | VOP_ONE |
            VOP_EVEX_W, // between registers: zeroes above 64 bits

    // Logic
    VPAND = OP_0F(0xdb),
    VPANDN = OP_0F(0xdf),
    VPOR = OP_0F(0xeb),
    VPXOR = OP_0F(0xef),
    VANDPS = VOP(VPP_NONE, VMAP_0F, 0, 0x54),
    VANDNPS = VOP(VPP_NONE, VMAP_0F, 0, 0x55),
    VORPS = VOP(VPP_NONE, VMAP_0F, 0, 0x56),
    VXORPS = VOP(VPP_NONE, VMAP_0F, 0, 0x57),
    VPTERNLOG = OP_EVEX_0F3A(0x25), // imm: bit d << 2 | s1 << 1 | s2

    // Sums
    VPADDB = OP_0F(0xfc),
    VPADDW = OP_0F(0xfd),
    VPADDD = OP_0F(0xfe),
    VPADDQ = OP_0F_Q(0xd4),
    VPSUBB = OP_0F(0xf8),
    VPSUBW = OP_0F(0xf9),
    VPSUBD = OP_0F(0xfa),
    VPSUBQ = OP_0F_Q(0xfb),
    VPADDSB = OP_0F(0xec),
    VPADDSW = OP_0F(0xed),
    VPADDUSB = OP_0F(0xdc),
    VPADDUSW = OP_0F(0xdd),
    VPSUBSB = OP_0F(0xe8),
    VPSUBSW = OP_0F(0xe9),
    VPSUBUSB = OP_0F(0xd8),
    VPSUBUSW = OP_0F(0xd9),
    VPAVGB = OP_0F(0xe0),
    VPAVGW = OP_0F(0xe3),
    VPABSB = OP_0F38(0x1c) | VOP_ONE,
    VPABSW = OP_0F38(0x1d) | VOP_ONE,
    VPABSD = OP_0F38(0x1e) | VOP_ONE,
    VPABSQ = OP_EVEX_0F38_Q(0x1f),
    VPSADBW = OP_0F(0xf6),
    VPSIGNB = OP_VEX_0F38(0x08),
    VPSIGNW = OP_VEX_0F38(0x09),
    VPSIGND = OP_VEX_0F38(0x0a),

    // Products
    VPMULLW = OP_0F(0xd5),
    VPMULHW = OP_0F(0xe5),
    VPMULHUW = OP_0F(0xe4),
    VPMULLD = OP_0F38(0x40),
    VPMULLQ = OP_EVEX_0F38_Q(0x40),
    VPMULUDQ = OP_0F_Q(0xf4),
    VPMULDQ = OP_0F38_Q(0x28),
    VPMADDWD = OP_0F(0xf5),
    VPMADDUBSW = OP_0F38(0x04),

    // Bounds
    VPMINSB = OP_0F38(0x38),
    VPMINSW = OP_0F(0xea),
    VPMINSD = OP_0F38(0x39),
    VPMINSQ = OP_EVEX_0F38_Q(0x39),
    VPMINUB = OP_0F(0xda),
    VPMINUW = OP_0F38(0x3a),
    VPMINUD = OP_0F38(0x3b),
    VPMINUQ = OP_EVEX_0F38_Q(0x3b),
    VPMAXSB = OP_0F38(0x3c),
    VPMAXSW = OP_0F(0xee),
    VPMAXSD = OP_0F38(0x3d),
    VPMAXSQ = OP_EVEX_0F38_Q(0x3d),
    VPMAXUB = OP_0F(0xde),
    VPMAXUW = OP_0F38(0x3e),
    VPMAXUD = OP_0F38(0x3f),
    VPMAXUQ = OP_EVEX_0F38_Q(0x3f),

    // Comparisons: into a register, or with EVEX into a mask (imm 0 eq, 1 lt, 2 le, 4 ne, 5 ge, 6
    // gt)
    VPCMPEQB = OP_VEX_0F(0x74),
    VPCMPEQW = OP_VEX_0F(0x75),
    VPCMPEQD = OP_VEX_0F(0x76),
    VPCMPEQQ = OP_VEX_0F38(0x29),
    VPCMPGTB = OP_VEX_0F(0x64),
    VPCMPGTW = OP_VEX_0F(0x65),
    VPCMPGTD = OP_VEX_0F(0x66),
    VPCMPGTQ = OP_VEX_0F38(0x37),
    VPCMPB_MASK = OP_EVEX_0F3A(0x3f),
    VPCMPW_MASK = OP_EVEX_0F3A_Q(0x3f),
    VPCMPD_MASK = OP_EVEX_0F3A(0x1f),
    VPCMPQ_MASK = OP_EVEX_0F3A_Q(0x1f),
    VPCMPUB_MASK = OP_EVEX_0F3A(0x3e),
    VPCMPUW_MASK = OP_EVEX_0F3A_Q(0x3e),
    VPCMPUD_MASK = OP_EVEX_0F3A(0x1e),
    VPCMPUQ_MASK = OP_EVEX_0F3A_Q(0x1e),
    VPMOVM2B = VOP(VPP_F3, VMAP_0F38, 0, 0x28) | VOP_EVEX,
    VPMOVM2W = VOP(VPP_F3, VMAP_0F38, 1, 0x28) | VOP_EVEX,
    VPMOVM2D = VOP(VPP_F3, VMAP_0F38, 0, 0x38) | VOP_EVEX,
    VPMOVM2Q = VOP(VPP_F3, VMAP_0F38, 1, 0x38) | VOP_EVEX,
    VPTEST = OP_VEX_0F38(0x17) | VOP_ONE,
    VPMOVMSKB = OP_VEX_0F(0xd7) | VOP_ONE,
    VMOVMSKPS = VOP(VPP_NONE, VMAP_0F, 0, 0x50) | VOP_ONE | VOP_VEX,
    VMOVMSKPD = OP_VEX_0F(0x50) | VOP_ONE,
    // Mask registers
    KMOVB_LOAD = VOP(VPP_66, VMAP_0F, 0, 0x90) | VOP_VEX, // from memory
    KMOVB = VOP(VPP_66, VMAP_0F, 0, 0x92) | VOP_VEX,      // from a general register
    KORTESTB = VOP(VPP_66, VMAP_0F, 0, 0x98) | VOP_VEX,

    // Shifts. Amounts in lanes are not taken modulo the width.
    VPSLLW_IMM = OP_0F(0x71) | 6u << 28,
    VPSLLD_IMM = OP_0F(0x72) | 6u << 28,
    VPSLLQ_IMM = OP_0F_Q(0x73) | 6u << 28,
    VPSRLW_IMM = OP_0F(0x71) | 2u << 28,
    VPSRLD_IMM = OP_0F(0x72) | 2u << 28,
    VPSRLQ_IMM = OP_0F_Q(0x73) | 2u << 28,
    VPSRAW_IMM = OP_0F(0x71) | 4u << 28,
    VPSRAD_IMM = OP_0F(0x72) | 4u << 28,
    VPSRAQ_IMM = OP_EVEX_0F_Q(0x72) | 4u << 28,
    VPRORD_IMM = OP_EVEX_0F(0x72),
    VPRORQ_IMM = OP_EVEX_0F_Q(0x72),
    VPSLLDQ_IMM = OP_0F(0x73) | 7u << 28,
    VPSRLDQ_IMM = OP_0F(0x73) | 3u << 28,
    VPSLLVW = OP_EVEX_0F38_Q(0x12),
    VPSLLVD = OP_0F38(0x47) | VOP_AVX,
    VPSLLVQ = OP_0F38_W1(0x47) | VOP_AVX,
    VPSRLVW = OP_EVEX_0F38_Q(0x10),
    VPSRLVD = OP_0F38(0x45) | VOP_AVX,
    VPSRLVQ = OP_0F38_W1(0x45) | VOP_AVX,
    VPSRAVW = OP_EVEX_0F38_Q(0x11),
    VPSRAVD = OP_0F38(0x46) | VOP_AVX,
    VPSRAVQ = OP_EVEX_0F38_Q(0x46),
    VPRORVD = OP_EVEX_0F38(0x14),
    VPRORVQ = OP_EVEX_0F38_Q(0x14),
    VPLZCNTD = OP_EVEX_0F38(0x44),
    VPLZCNTQ = OP_EVEX_0F38_Q(0x44),

    // Shuffles
    VPUNPCKLBW = OP_0F(0x60),
    VPUNPCKLWD = OP_0F(0x61),
    VPUNPCKLDQ = OP_0F(0x62),
    VPUNPCKLQDQ = OP_0F_Q(0x6c),
    VPUNPCKHBW = OP_0F(0x68),
    VPUNPCKHWD = OP_0F(0x69),
    VPUNPCKHDQ = OP_0F(0x6a),
    VPUNPCKHQDQ = OP_0F_Q(0x6d),
    VPACKSSWB = OP_0F(0x63),
    VPACKSSDW = OP_0F(0x6b),
    VPACKUSWB = OP_0F(0x67),
    VPACKUSDW = OP_0F38(0x2b),
    VPSHUFB = OP_0F38(0x00),
    VPSHUFD = OP_0F(0x70) | VOP_ONE,
    VPSHUFHW = VOP(VPP_F3, VMAP_0F, 0, 0x70) | VOP_ONE,
    VPSHUFLW = VOP(VPP_F2, VMAP_0F, 0, 0x70) | VOP_ONE,
    VSHUFPS = VOP(VPP_NONE, VMAP_0F, 0, 0xc6),
    VSHUFPD = OP_0F_Q(0xc6),
    VPERMILPS = OP_0F38(0x0c) | VOP_AVX,
    VPERMILPD = OP_0F38_Q(0x0d) | VOP_AVX,
    VPERMQ = OP_0F3A_W1(0x00) | VOP_AVX,
    VPERMD = OP_0F38(0x36) | VOP_AVX,
    VPERM2I128 = OP_VEX_0F3A(0x46) | VOP_AVX,
    VINSERTI128 = OP_0F3A(0x38) | VOP_AVX,
    VEXTRACTI128 = OP_0F3A(0x39) | VOP_AVX, // the rm operand is the destination
    VPBLENDD = OP_VEX_0F3A(0x02) | VOP_AVX,
    VPBLENDVB = OP_VEX_0F3A(0x4c) | VOP_AVX, // the mask's register is in bits 7:4 of the immediate
    VBLENDVPS = OP_VEX_0F3A(0x4a) | VOP_AVX,
    VBLENDVPD = OP_VEX_0F3A(0x4b) | VOP_AVX,
    VBLENDMPS = OP_EVEX_0F38(0x65),
    VBLENDMPD = OP_EVEX_0F38_Q(0x65),
    VPERMI2B = OP_EVEX_0F38(0x75), // AVX512_VBMI
    VPERMI2W = OP_EVEX_0F38_Q(0x75),
    VPERMI2D = OP_EVEX_0F38(0x76),
    VPERMI2Q = OP_EVEX_0F38_Q(0x76),
    VPBROADCASTB = OP_0F38(0x78) | VOP_AVX,
    VPBROADCASTW = OP_0F38(0x79) | VOP_AVX,
    VPBROADCASTD = OP_0F38(0x58) | VOP_AVX,
    VPBROADCASTQ = OP_0F38_Q(0x59) | VOP_AVX,
    VPBROADCASTB_GPR = OP_EVEX_0F38(0x7a),
    VPBROADCASTW_GPR = OP_EVEX_0F38(0x7b),
    VPBROADCASTD_GPR = OP_EVEX_0F38(0x7c),
    VPBROADCASTQ_GPR = OP_EVEX_0F38_Q(0x7c),
    VPINSRB = OP_0F3A(0x20) | VOP_GPR,
    VPINSRW = OP_0F(0xc4) | VOP_GPR,
    VPINSRD = OP_0F3A(0x22) | VOP_GPR,
    VPINSRQ = OP_0F3A_W1(0x22) | VOP_GPR,
    VPEXTRB = OP_0F3A(0x14) | VOP_ONE, // the rm operand is the destination
    VPEXTRW = OP_0F3A(0x15) | VOP_ONE,
    VPEXTRD = OP_0F3A(0x16) | VOP_ONE,
    VPEXTRQ = OP_0F3A_W1(0x16) | VOP_ONE,
    VPMOVSXBW = OP_0F38(0x20) | VOP_ONE,
    VPMOVSXBD = OP_0F38(0x21) | VOP_ONE,
    VPMOVSXBQ = OP_0F38(0x22) | VOP_ONE,
    VPMOVSXWD = OP_0F38(0x23) | VOP_ONE,
    VPMOVSXWQ = OP_0F38(0x24) | VOP_ONE,
    VPMOVSXDQ = OP_0F38(0x25) | VOP_ONE,
    VPMOVZXBW = OP_0F38(0x30) | VOP_ONE,
    VPMOVZXBD = OP_0F38(0x31) | VOP_ONE,
    VPMOVZXBQ = OP_0F38(0x32) | VOP_ONE,
    VPMOVZXWD = OP_0F38(0x33) | VOP_ONE,
    VPMOVZXWQ = OP_0F38(0x34) | VOP_ONE,
    VPMOVZXDQ = OP_0F38(0x35) | VOP_ONE,

    // Floating point. The fused ones are d = s1 * s2 + d and - d.
    VCOMISS = VOP(VPP_NONE, VMAP_0F, 0, 0x2f) | VOP_ONE,
    VCOMISD = OP_0F_Q(0x2f) | VOP_ONE,
    VUCOMISS = VOP(VPP_NONE, VMAP_0F, 0, 0x2e) | VOP_ONE,
    VUCOMISD = OP_0F_Q(0x2e) | VOP_ONE,
    VCMPPS = VOP(VPP_NONE, VMAP_0F, 0, 0xc2) | VOP_VEX,
    VCMPPD = OP_VEX_0F(0xc2),
    VCMPPS_MASK = VOP(VPP_NONE, VMAP_0F, 0, 0xc2) | VOP_EVEX,
    VCMPPD_MASK = OP_EVEX_0F_Q(0xc2),
    VCVTSS2SD = VOP(VPP_F3, VMAP_0F, 0, 0x5a),
    VCVTSD2SS = VOP(VPP_F2, VMAP_0F, 1, 0x5a) | VOP_EVEX_W,
    VCVTPS2PD = VOP(VPP_NONE, VMAP_0F, 0, 0x5a) | VOP_ONE,
    VCVTPD2PS = OP_0F_Q(0x5a) | VOP_ONE,
    VCVTPS2PH = OP_0F3A(0x1d) | VOP_AVX, // the rm operand is the destination
    VCVTPH2PS = OP_0F38(0x13) | VOP_AVX,
    VCVTDQ2PD = VOP(VPP_F3, VMAP_0F, 0, 0xe6) | VOP_ONE,
    VCVTDQ2PS = VOP(VPP_NONE, VMAP_0F, 0, 0x5b) | VOP_ONE,
    VCVTUDQ2PS = VOP(VPP_F2, VMAP_0F, 0, 0x7a) | VOP_EVEX,
    VCVTQQ2PD = VOP(VPP_F3, VMAP_0F, 1, 0xe6) | VOP_EVEX,
    VCVTUQQ2PD = VOP(VPP_F3, VMAP_0F, 1, 0x7a) | VOP_EVEX,
    VCVTQQ2PS = VOP(VPP_NONE, VMAP_0F, 1, 0x5b) | VOP_EVEX,
    VCVTPS2DQ = OP_0F(0x5b) | VOP_ONE,
    VCVTTPS2DQ = VOP(VPP_F3, VMAP_0F, 0, 0x5b) | VOP_ONE,
    VCVTPD2DQ = VOP(VPP_F2, VMAP_0F, 1, 0xe6) | VOP_ONE | VOP_EVEX_W,
    VCVTTPD2DQ = OP_0F_Q(0xe6) | VOP_ONE,
    VCVTPD2QQ = OP_EVEX_0F_Q(0x7b),
    VCVTTPD2QQ = OP_EVEX_0F_Q(0x7a),
    VCVTPS2QQ = OP_EVEX_0F(0x7b),
    VCVTTPS2QQ = OP_EVEX_0F(0x7a),
    VCVTPS2UDQ = VOP(VPP_NONE, VMAP_0F, 0, 0x79) | VOP_EVEX,
    VCVTTPS2UDQ = VOP(VPP_NONE, VMAP_0F, 0, 0x78) | VOP_EVEX,
    VCVTPD2UQQ = OP_EVEX_0F_Q(0x79),
    VCVTTPD2UQQ = OP_EVEX_0F_Q(0x78),
};

// Operations that come in four kinds: packed and scalar, single and double.
#define VOP_PS(op) VOP(VPP_NONE, VMAP_0F, 0, op)
#define VOP_PD(op) OP_0F_Q(op)
#define VOP_SS(op) VOP(VPP_F3, VMAP_0F, 0, op)
#define VOP_SD(op) (VOP(VPP_F2, VMAP_0F, 1, op) | VOP_EVEX_W)
enum {
    FP_SQRT = 0x51,
    FP_ADD = 0x58,
    FP_MUL = 0x59,
    FP_SUB = 0x5c,
    FP_MIN = 0x5d,
    FP_DIV = 0x5e,
    FP_MAX = 0x5f
};

static inline u32 vop_fp(unsigned op, unsigned bits, bool scalar)
{
    if (scalar)
        return bits == 32 ? VOP_SS(op) : VOP_SD(op);
    return (bits == 32 ? VOP_PS(op) : VOP_PD(op)) | (op == FP_SQRT ? (u32)VOP_ONE : 0);
}
static inline u32 vop_fma(bool negate_addend, unsigned bits, bool scalar)
{
    return VOP(VPP_66, VMAP_0F38, bits == 64, (negate_addend ? 0xbau : 0xb8u) | scalar) | VOP_AVX;
}
// Between a scalar and a general register of `w` bits: from it; to it, by the current rounding or
// toward zero.
static inline u32 vop_from_gpr(unsigned bits, unsigned w)
{
    return VOP(bits == 32 ? VPP_F3 : VPP_F2, VMAP_0F, w == 64, 0x2a) | VOP_GPR;
}
static inline u32 vop_to_gpr(unsigned bits, unsigned w, bool toward_zero)
{
    return VOP(bits == 32 ? VPP_F3 : VPP_F2, VMAP_0F, w == 64, toward_zero ? 0x2c : 0x2d) | VOP_ONE;
}
// imm: 0 nearest, 1 down, 2 up, 3 zero, 4 as MXCSR says; 8: not inexact.
static inline u32 vop_round(unsigned bits, bool scalar)
{
    unsigned op = 0x08u | (bits == 64) | (unsigned)scalar << 1;
    return (bits == 64 ? OP_0F3A_Q(op) : OP_0F3A(op)) | (scalar ? 0 : (u32)VOP_ONE);
}
// imm: 4 minimum, 5 maximum, 6 and 7 the same of magnitudes.
static inline u32 vop_range(unsigned bits, bool scalar)
{
    return VOP(VPP_66, VMAP_0F3A, bits == 64, 0x50u | scalar) | VOP_EVEX;
}
