// SPDX-License-Identifier: Apache-2.0
// Moves between vector lanes and general registers, replication, immediates; masks and tests of
// lanes.
#include "jit/x86_64/la_vec.h"
#include "cpu/loongarch64/interp.h"

static const u32 insert_op[] = {VPINSRB, VPINSRW, VPINSRD, VPINSRQ};
static const u32 extract_op[] = {VPEXTRB, VPEXTRW, VPEXTRD, VPEXTRQ};
static const u32 broadcast_op[] = {VPBROADCASTB, VPBROADCASTW, VPBROADCASTD, VPBROADCASTQ};
static const u32 equal_op[] = {VPCMPEQB, VPCMPEQW, VPCMPEQD, VPCMPEQQ};

// `arg` is log2 of the bytes of the lane.
TEMPLATE(vinsgr2vr)
{
    vec_begin(t, i);
    unsigned old = vec_use(t, i->rd, 128, V0), d = vec_dest(t, i->rd);
    v_rrri(t, insert_op[arg], 128, d, old, trans_use(t, i->rj, RAX), i->imm2);
    vec_set(t, i->rd, 128, d);
}

// Lane `lane` of d = the value in all lanes of s, which is scratch.
static void insert_lane(struct trans *t, unsigned z, unsigned d, unsigned s, unsigned lane)
{
    u64 mask[4] = {0};
    mask[lane << z >> 3] = (z == 3 ? ~0ULL : 0xffffffff) << (lane << z & 7) * 8;
    if (d < 16) {
        unsigned words = z == 2 ? 1u << lane : 3u << 2 * lane;
        v_rrri(t, VPBLENDD, 256, d, d, s, words);
    } else {
        v_rrm(t, VMOVDQU, 256, V1, 0, vec_literal(t, mask));
        vec_select(t, 256, d, V1, d, s);
    }
}

TEMPLATE(xvinsgr2vr)
{
    vec_begin(t, i);
    if (!vec_is_pinned(t, i->rd)) {
        struct mem home = vr_home(i->rd);
        home.disp += i->imm2 << arg;
        emit_mov_mr(&t->e, arg == 2 ? W32 : W64, home, trans_use(t, i->rj, RAX));
        return;
    }
    v_rrr(t, arg == 2 ? VMOVD_LOAD : VMOVQ_LOAD, 128, V0, 0, trans_use(t, i->rj, RAX));
    v_rrr(t, broadcast_op[arg], 256, V0, 0, V0);
    insert_lane(t, arg, t->vr_map[i->rd], V0, i->imm2);
}

// `arg` as above, and 4 if the lane is sign-extended.
TEMPLATE(vpickve2gr)
{
    unsigned bits = vec_begin(t, i), z = arg & 3, lane = i->imm2, n_lanes = 16u >> z;
    if (!i->rd)
        return;
    enum reg d = trans_define(t, i->rd);
    unsigned s = vec_use(t, i->rj, bits, V0);
    if (lane >= n_lanes) {
        v_rrri(t, VEXTRACTI128, 256, s, 0, V0, 1);
        s = V0;
    }
    v_rrri(t, extract_op[z], 128, s, 0, d, lane & (n_lanes - 1));
    if (arg & 4)
        emit_extend_rr(&t->e, (enum width)(1u << z), true, d, d);
    trans_set(t, i->rd, d);
}

TEMPLATE(vreplgr2vr)
{
    static const u32 from_gpr[] = {VPBROADCASTB_GPR, VPBROADCASTW_GPR, VPBROADCASTD_GPR,
                                   VPBROADCASTQ_GPR};
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd);
    if (!i->rj) {
        v_zero(t, d);
    } else if (t->jit->has_evex) {
        v_rrr(t, from_gpr[arg], bits, d, 0, trans_use(t, i->rj, RAX));
    } else {
        v_rrr(t, VMOVQ_LOAD, 128, V0, 0, trans_use(t, i->rj, RAX));
        v_rrr(t, broadcast_op[arg], bits, d, 0, V0);
    }
    vec_set(t, i->rd, bits, d);
}

// Lane 0 of the whole register. `arg` is the VPBROADCAST, 0 for halves.
TEMPLATE(xvreplve0)
{
    vec_begin(t, i);
    unsigned d = vec_dest(t, i->rd), j = vec_use(t, i->rj, 256, V0);
    if (arg)
        v_rrr(t, arg, 256, d, 0, j);
    else
        v_rrri(t, VPERMQ, 256, d, 0, j, 0x44);
    vec_set(t, i->rd, 256, d);
}

// Lane 0 of xj into lane imm2.
TEMPLATE(xvinsve0)
{
    vec_begin(t, i);
    unsigned d = vec_use(t, i->rd, 256, V2);
    vec_op(t, broadcast_op[arg], 256, V0, 0, i->rj);
    insert_lane(t, arg, d, V0, i->imm2);
    vec_set(t, i->rd, 256, d);
}

// Lane imm2 into lane 0; all others are zero.
TEMPLATE(xvpickve)
{
    unsigned n_lanes = 16u >> arg;
    vec_begin(t, i);
    unsigned s = vec_use(t, i->rj, 256, V0), d = vec_dest(t, i->rd);
    if (i->imm2 >= n_lanes) {
        v_rrri(t, VEXTRACTI128, 256, s, 0, V0, 1);
        s = V0;
    }
    v_rrri(t, extract_op[arg], 128, s, 0, RAX, i->imm2 & (n_lanes - 1));
    v_rrr(t, arg == 2 ? VMOVD_LOAD : VMOVQ_LOAD, 128, d, 0, RAX);
    vec_set(t, i->rd, 256, d);
}

// Immediates that do not exist raise in the interpreter.
TEMPLATE(vldi)
{
    u64 value;
    if (!la_vldi_value(i->imm, &value)) {
        trans_interpret(t);
        return;
    }
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd);
    if (!value)
        v_zero(t, d);
    else
        v_rrm(t, VMOVDQU, bits, d, 0, vec_literal64(t, value));
    vec_set(t, i->rd, bits, d);
}

// A bit of rax for each lane of s that is negative; s is below 16.
static void take_signs(struct trans *t, unsigned z, unsigned bits, unsigned s)
{
    static const u32 op[] = {VPMOVMSKB, 0, VMOVMSKPS, VMOVMSKPD};
    if (z == 1) {
        v_zero(t, V1);
        v_rrr(t, VPACKSSWB, bits, V1, s, V1);
        s = V1;
        z = 0;
    }
    v_rrr(t, op[z], bits, RAX, 0, s);
}

enum { MASK_NEGATIVE, MASK_NOT_NEGATIVE, MASK_NOT_ZERO };

// A bit for each lane of a half for which `arg` holds, in that half. Bytes of both halves come in
// one word; halfwords as bytes of which the upper are zero.
TEMPLATE(vmask)
{
    unsigned bits = vec_begin(t, i), z = vec_z(i), n = z == 0 || z == 1 ? 16 : 16u >> z;
    unsigned s = v_low(t, bits, vec_use(t, i->rj, bits, V0), V0), d = vec_dest(t, i->rd);
    if (arg == MASK_NOT_ZERO) {
        v_zero(t, V1);
        v_rrr(t, VPCMPEQB, bits, V0, s, V1);
        s = V0;
    }
    take_signs(t, z, bits, s);
    if (arg != MASK_NEGATIVE)
        emit_alu_ri(&t->e, ALU_XOR, W32, RAX, bits == 128 ? 0xffff : -1);
    if (bits == 128) {
        v_rrr(t, VMOVD_LOAD, 128, d, 0, RAX);
    } else {
        emit_mov_rr(&t->e, W32, RCX, RAX);
        emit_alu_ri(&t->e, ALU_AND, W32, RCX, (s32)BIT(n) - 1);
        emit_shift_ri(&t->e, SHIFT_SHR, W32, RAX, n);
        v_rrr(t, VMOVD_LOAD, 128, V0, 0, RCX);
        v_rrr(t, VMOVD_LOAD, 128, V1, 0, RAX);
        v_rrri(t, VINSERTI128, 256, d, V0, V1, 1);
    }
    vec_set(t, i->rd, bits, d);
}

// Tests into a flag. `arg`: of the whole register, whether it is zero, CC_E, or not, CC_NE; and 16
// for lanes: whether one is zero, CC_NE, or none, CC_E.
TEMPLATE(vset)
{
    unsigned bits = vec_begin(t, i), s = v_low(t, bits, vec_use(t, i->rj, bits, V0), V0);
    if (arg & 16) {
        v_zero(t, V1);
        v_rrr(t, equal_op[vec_z(i)], bits, V0, s, V1);
        s = V0;
    }
    bool goes_back = false, is_branched = trans_is_branched_on(t, i->rd, &goes_back);
    if (is_branched && goes_back)
        trans_poll(t);
    v_rrr(t, VPTEST, bits, s, 0, s);
    t->flag_cc = (enum cond)(arg & 15);
    emit_setcc_m(&t->e, t->flag_cc, at(RBP, JIT_FIELD(fcc) + i->rd));
    t->flag_fcc = i->rd;
    t->flag_end = is_branched ? t->now + 1 : 0;
}

// d = number of bits that are set in each byte of s; d is V0, V1 and V3 are lost, s is not these.
static void count_in_bytes(struct trans *t, unsigned bits, unsigned s)
{
    const u64 counts[4] = {0x0302020102010100, 0x0403030203020201, 0x0302020102010100,
                           0x0403030203020201};
    struct mem nibble = vec_literal8(t, 0xf);
    v_rrm(t, VMOVDQU, bits, V3, 0, vec_literal(t, counts));
    v_rrm(t, VPAND, bits, V0, s, nibble);
    v_shift(t, VPSRLW_IMM, bits, V1, s, 4);
    v_rrm(t, VPAND, bits, V1, V1, nibble);
    v_rrr(t, VPSHUFB, bits, V0, V3, V0);
    v_rrr(t, VPSHUFB, bits, V1, V3, V1);
    v_rrr(t, VPADDB, bits, V0, V0, V1);
}

TEMPLATE(vpcnt)
{
    unsigned bits = vec_begin(t, i), z = vec_z(i);
    count_in_bytes(t, bits, vec_use(t, i->rj, bits, V2));
    if (z == 3) {
        v_zero(t, V1);
        v_rrr(t, VPSADBW, bits, V0, V0, V1);
    } else if (z) {
        v_rrm(t, VPMADDUBSW, bits, V0, V0, vec_literal8(t, 1));
        if (z == 2)
            v_rrm(t, VPMADDWD, bits, V0, V0, vec_literal16(t, 1));
    }
    vec_set(t, i->rd, bits, V0);
}

// Leading zeros, or with `arg` ones, of words and doublewords. Narrower lanes are first made the
// top of words, with ones below.
TEMPLATE(vclz)
{
    unsigned z = vec_z(i);
    if (!t->jit->has_evex || z < 2) {
        trans_interpret(t);
        return;
    }
    unsigned bits = vec_begin(t, i), d = vec_dest(t, i->rd), s = vec_use(t, i->rj, bits, V1);
    if (arg) {
        v_ones(t, bits, V0);
        v_rrr(t, VPXOR, bits, V0, V0, s);
        s = V0;
    }
    v_rrr(t, z == 2 ? VPLZCNTD : VPLZCNTQ, bits, d, 0, s);
    vec_set(t, i->rd, bits, d);
}
