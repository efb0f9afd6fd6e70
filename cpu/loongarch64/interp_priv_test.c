// SPDX-License-Identifier: Apache-2.0
// Privilege of instructions, control registers, I/O configuration space, configuration words, time.
#include "base/test.h"
#include "cpu/loongarch64/rig.h"

static u64 ecode(struct rig *r)
{
    return bits_get(la_csr_read(r->c, CSR_ESTAT), 21, 16);
}

TEST(privileged_instructions_at_level_3)
{
    static const char *const texts[] = {"csrrd $a0, 0x30",
                                        "csrwr $a0, 0x30",
                                        "csrxchg $a0, $a1, 0x30",
                                        "iocsrrd.b $a0, $a1",
                                        "iocsrrd.h $a0, $a1",
                                        "iocsrrd.w $a0, $a1",
                                        "iocsrrd.d $a0, $a1",
                                        "iocsrwr.b $a0, $a1",
                                        "iocsrwr.h $a0, $a1",
                                        "iocsrwr.w $a0, $a1",
                                        "iocsrwr.d $a0, $a1",
                                        "tlbsrch",
                                        "tlbrd",
                                        "tlbwr",
                                        "tlbfill",
                                        "tlbclr",
                                        "tlbflush",
                                        "invtlb 0, $zero, $zero",
                                        "lddir $a0, $a1, 1",
                                        "ldpte $a1, 0",
                                        "ertn",
                                        "idle 0",
                                        "cacop 0, $a1, 0",
                                        "cacop 8, $a1, 0",
                                        "cacop 24, $a1, 0",
                                        "dbcl 0"};
    for (unsigned n = 0; n < ARRAY_LEN(texts); n++) {
        struct rig r;
        rig_init(&r, "max");
        rig_mapped(&r, 3);
        rig_run(&r, texts[n]);
        if (!CHECK_EQ(ecode(&r), EXC_IPE) || !CHECK(!r.c->idle))
            printf("# %s\n", texts[n]);
        rig_free(&r);
    }
}

// Maintenance by address is open to all and translates its address.
TEST(cache_maintenance_by_address)
{
    struct rig r;
    rig_init(&r, "max");
    rig_mapped(&r, 3);
    r.c->gpr[5] = RIG_CODE;
    rig_run(&r, "cacop 16, $a1, 0");
    CHECK_EQ(r.c->pc, RIG_CODE + 4);
    r.c->gpr[5] = 0x7000000000; // mapped by nothing
    rig_run(&r, "cacop 17, $a1, 8");
    CHECK_EQ(r.c->pc, RIG_REFILL);
    CHECK_EQ(r.c->csr[CSR_TLBRBADV], 0x7000000008);
    rig_free(&r);
}

TEST(control_registers_read_write_exchange)
{
    struct rig r;
    rig_init(&r, "max");
    r.c->gpr[4] = 0x1234;
    r.c->csr[CSR_SAVE0] = 0xff;
    rig_run(&r, "csrwr $a0, 0x30");
    CHECK_EQ(r.c->gpr[4], 0xff);
    CHECK_EQ(r.c->csr[CSR_SAVE0], 0x1234);
    r.c->gpr[4] = 0xffff;
    r.c->gpr[5] = 0x0ff0;
    rig_run(&r, "csrxchg $a0, $a1, 0x30; csrrd $a2, 0x30");
    CHECK_EQ(r.c->gpr[4], 0x1234);
    CHECK_EQ(r.c->gpr[6], 0x1ff4);
    rig_free(&r);
}

struct iocsr {
    u32 address;
    u64 value;
    unsigned size, core;
};

static u64 iocsr_read(void *opaque, unsigned core, u32 address, unsigned size)
{
    struct iocsr *i = opaque;
    *i = (struct iocsr){address, i->value, size, core};
    return i->value & BITS(8 * size - 1, 0);
}

static void iocsr_write(void *opaque, unsigned core, u32 address, u64 value, unsigned size)
{
    *(struct iocsr *)opaque = (struct iocsr){address, value, size, core};
}

TEST(io_configuration_space)
{
    struct rig r;
    struct iocsr i = {.value = 0x8182838485868788};
    rig_init(&r, "max");
    r.bus.opaque = &i;
    r.bus.iocsr_read = iocsr_read;
    r.bus.iocsr_write = iocsr_write;
    r.c->gpr[5] = 0x9000000000001020;
    rig_run(&r, "iocsrrd.b $a0, $a1; iocsrrd.h $a2, $a1; iocsrrd.w $a3, $a1; iocsrrd.d $a4, $a1");
    CHECK_EQ(r.c->gpr[4], 0xffffffffffffff88);
    CHECK_EQ(r.c->gpr[6], 0xffffffffffff8788);
    CHECK_EQ(r.c->gpr[7], 0xffffffff85868788);
    CHECK_EQ(r.c->gpr[8], 0x8182838485868788);
    CHECK_EQ(i.address, 0x1020);
    CHECK_EQ(i.size, 8);
    rig_run(&r, "iocsrwr.h $a0, $a1");
    CHECK_EQ(i.value, 0xff88);
    CHECK_EQ(i.size, 2);
    rig_free(&r);
}

TEST(configuration_words_are_sign_extended)
{
    struct rig r;
    rig_init(&r, "max");
    r.c->cpucfg[2] = 0x80000001;
    r.c->gpr[5] = 2;
    r.c->gpr[6] = 0x100000002; // no such word
    rig_run(&r, "cpucfg $a0, $a1; cpucfg $a2, $a2");
    CHECK_EQ(r.c->gpr[4], 0xffffffff80000001);
    CHECK_EQ(r.c->gpr[6], 0);
    rig_free(&r);
}

TEST(time_has_an_offset_and_a_number)
{
    struct rig r;
    rig_init(&r, "max");
    u64 now = la_counter(r.c);
    la_csr_write(r.c, CSR_CNTC, 0x9876543210 - now, ~0ULL);
    r.c->csr[CSR_TID] = 7;
    rig_run(&r, "rdtime.d $a0, $a1; rdtimel.w $a2, $zero; rdtimeh.w $a3, $a4");
    CHECK_EQ(r.c->gpr[4], 0x9876543210);
    CHECK_EQ(r.c->gpr[5], 7);
    CHECK_EQ(r.c->gpr[6], 0x76543210);
    CHECK_EQ(r.c->gpr[7], 0x98);
    CHECK_EQ(r.c->gpr[8], 7);
    rig_run(&r, "rdtime.d $a0, $a0");
    CHECK_EQ(r.c->gpr[4], 0x9876543210);
    rig_free(&r);
}

TEST(time_can_be_closed_to_a_level)
{
    struct rig r;
    rig_init(&r, "max");
    rig_mapped(&r, 3);
    la_csr_write(r.c, CSR_MISC, 1 << 6, ~0ULL); // DRDTL2
    rig_run(&r, "rdtime.d $a0, $a1");
    CHECK_EQ(r.c->pc, RIG_CODE + 4);
    la_csr_write(r.c, CSR_MISC, 1 << 7, ~0ULL); // DRDTL3
    rig_run(&r, "rdtimel.w $a0, $a1");
    CHECK_EQ(ecode(&r), EXC_IPE);
    rig_free(&r);
}

TEST(performance_counters_can_be_opened_to_a_level)
{
    struct rig r;
    rig_init(&r, "max");
    rig_mapped(&r, 3);
    la_csr_write(r.c, CSR_MISC, 1 << 11, ~0ULL); // RPCNTL3
    r.c->cpucfg[6] = 0x7f33;                     // four counters
    rig_run(&r, "csrrd $a0, 0x207");
    CHECK_EQ(r.c->pc, RIG_CODE + 4);
    rig_run(&r, "csrrd $a0, 0x200"); // the configuration stays closed
    CHECK_EQ(ecode(&r), EXC_IPE);
    rig_free(&r);
    rig_init(&r, "max");
    rig_mapped(&r, 3);
    la_csr_write(r.c, CSR_MISC, 1 << 11, ~0ULL);
    r.c->cpucfg[6] = 0x7f33;
    rig_run(&r, "csrrd $a0, 0x209"); // the fifth does not exist
    CHECK_EQ(ecode(&r), EXC_IPE);
    rig_free(&r);
}

TEST(idle_goes_on_behind_itself)
{
    struct rig r;
    rig_init(&r, "max");
    rig_run(&r, "idle 0");
    CHECK(r.c->idle);
    CHECK_EQ(r.c->pc, RIG_CODE + 4);
    rig_free(&r);
}

TEST(translation_instructions_reach_the_tlb)
{
    struct rig r;
    rig_init(&r, "max");
    rig_map(&r, 2050, 0x40000000, 0x200000, 14, 0x1f);
    r.c->csr[CSR_TLBEHI] = 0x40000000;
    rig_run(&r, "tlbsrch");
    CHECK_EQ(r.c->csr[CSR_TLBIDX] & 0xfff, 2050);
    rig_run(&r, "invtlb 0, $zero, $zero; tlbsrch");
    CHECK(r.c->csr[CSR_TLBIDX] >> 31 & 1);
    rig_run(&r, "invtlb 31, $zero, $zero");
    CHECK_EQ(ecode(&r), EXC_INE);
    rig_free(&r);
}

// A model without LVZ, and no model with a debug mode.
TEST(debugger_and_hypervisor_calls_are_undefined)
{
    static const char *const texts[] = {"dbcl 0", "hvcl 0", "gcsrrd $a0, 0", "gtlbflush"};
    for (unsigned n = 0; n < ARRAY_LEN(texts); n++) {
        struct rig r;
        rig_init(&r, "la464");
        rig_run(&r, texts[n]);
        if (!CHECK_EQ(ecode(&r), EXC_INE))
            printf("# %s\n", texts[n]);
        rig_free(&r);
    }
}
