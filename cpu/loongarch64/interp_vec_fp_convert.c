// SPDX-License-Identifier: Apache-2.0
// Vector conversions between floating-point formats and integers, and rounding to integers.
//
// Those that halve the width take two registers: vk makes the lower lanes, vj the upper. Those that
// double it come in two forms, for the lower (l) and the upper (h) lanes of vj.
#include "cpu/loongarch64/interp_vec_fp.h"

VFP_LANES(fcvt_h_s, h, fp32_to_fp16(n < 4 ? k->w[n] : j->w[n - 4], env))
VFP_LANES(fcvt_s_d, w, fp64_to_fp32(n < 2 ? k->d[n] : j->d[n - 2], env))
VFP_LANES(fcvtl_s_h, w, fp16_to_fp32(j->h[n], env))
VFP_LANES(fcvth_s_h, w, fp16_to_fp32(j->h[n + 4], env))
VFP_LANES(fcvtl_d_s, d, fp32_to_fp64(j->w[n], env))
VFP_LANES(fcvth_d_s, d, fp32_to_fp64(j->w[n + 2], env))

VFP_LANES(ffint_s_w, w, fp32_from_s32(j->sw[n], env))
VFP_LANES(ffint_s_wu, w, fp32_from_u32(j->w[n], env))
VFP_LANES(ffint_d_l, d, fp64_from_s64(j->sd[n], env))
VFP_LANES(ffint_d_lu, d, fp64_from_u64(j->d[n], env))
VFP_LANES(ffintl_d_w, d, fp64_from_s32(j->sw[n], env))
VFP_LANES(ffinth_d_w, d, fp64_from_s32(j->sw[n + 2], env))
VFP_LANES(ffint_s_l, w, fp32_from_s64(n < 2 ? k->sd[n] : j->sd[n - 2], env))

// In the mode that the name says, or in that of FCSR.
#define ROUND(name, mode)                                   \
    VFP_LANES(name##_s, w, fp32_rint(j->w[n], (mode), env)) \
    VFP_LANES(name##_d, d, fp64_rint(j->d[n], (mode), env))
#define TO_INTEGER(name, mode)                                                         \
    VFP_LANES(name##_w_s, sw, fp32_to_s32(j->w[n], (mode), env))                       \
    VFP_LANES(name##_l_d, sd, fp64_to_s64(j->d[n], (mode), env))                       \
    VFP_LANES(name##_w_d, sw, fp64_to_s32(n < 2 ? k->d[n] : j->d[n - 2], (mode), env)) \
    VFP_LANES(name##l_l_s, sd, fp32_to_s64(j->w[n], (mode), env))                      \
    VFP_LANES(name##h_l_s, sd, fp32_to_s64(j->w[n + 2], (mode), env))
#define TO_UNSIGNED(name, mode)                                  \
    VFP_LANES(name##_wu_s, w, fp32_to_u32(j->w[n], (mode), env)) \
    VFP_LANES(name##_lu_d, d, fp64_to_u64(j->d[n], (mode), env))

ROUND(frint, rm)
ROUND(frintrne, FP_RNE)
ROUND(frintrz, FP_RZ)
ROUND(frintrp, FP_RP)
ROUND(frintrm, FP_RM)
TO_INTEGER(ftint, rm)
TO_INTEGER(ftintrne, FP_RNE)
TO_INTEGER(ftintrz, FP_RZ)
TO_INTEGER(ftintrp, FP_RP)
TO_INTEGER(ftintrm, FP_RM)
TO_UNSIGNED(ftint, rm)
TO_UNSIGNED(ftintrz, FP_RZ)
