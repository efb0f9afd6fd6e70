// SPDX-License-Identifier: Apache-2.0
// A bank of flash memory (Intel command set, two 16-bit chips side by side): bank 1, which the
// machine must be given blank. CFI publications 100 and 101.
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/insn.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/report.h"

#define BANK      BOARD_FLASH1
#define BANK_SIZE 0x1000000u
#define BLOCK     0x40000u // of both chips together
#define READY     0x00800080u

static u32 rd(u32 offset)
{
    return device_read32(BANK + offset);
}

static void wr(u32 offset, u32 value)
{
    device_write32(BANK + offset, value);
}

// A command to both chips.
static void command(u32 offset, u8 cmd)
{
    wr(offset, cmd | (u32)cmd << 16);
}

static void read_array(void)
{
    command(0, 0xff);
}

static u32 wait_ready(u32 offset)
{
    u64 deadline = time_after_ms(20000);
    while ((rd(offset) & READY) != READY && !time_is_past(deadline))
        ;
    return rd(offset);
}

static u32 program(u32 offset, u32 value)
{
    command(offset, 0x40);
    wr(offset, value);
    u32 status = wait_ready(offset);
    read_array();
    return status;
}

static u32 erase(u32 offset)
{
    command(offset, 0x20);
    command(offset, 0xd0);
    u32 status = wait_ready(offset);
    read_array();
    return status;
}

static void unlock(u32 offset)
{
    command(offset, 0x60);
    command(offset, 0xd0);
    read_array();
}

static void test_identity(void)
{
    command(0, 0x98);
    report_eq(rd(0x10 * 4), 0x00510051, "query: Q");
    report_eq(rd(0x11 * 4), 0x00520052, "query: R");
    report_eq(rd(0x12 * 4), 0x00590059, "query: Y");
    report_eq(rd(0x13 * 4), 0x00010001, "query: Intel command set");
    report_eq(rd(0x27 * 4) & 0xff, 23, "query: 8 MiB for each chip");
    u32 blocks = (rd(0x2d * 4) & 0xff) + ((rd(0x2e * 4) & 0xff) << 8) + 1;
    u32 unit = ((rd(0x2f * 4) & 0xff) + ((rd(0x30 * 4) & 0xff) << 8)) * 256;
    report_eq(blocks, BANK_SIZE / BLOCK, "query: number of blocks");
    report_eq(unit * 2, BLOCK, "query: their size");
    command(0, 0x90);
    report_eq(rd(0), 0x00890089, "manufacturer");
    report_eq(rd(4), 0x00180018, "device");
    read_array();
    report_eq(rd(0x10 * 4), ~0u, "back to the array, which is blank");
}

static void test_program(void)
{
    unlock(0);
    report_eq(program(0x100, 0x12345678), READY, "a word is programmed");
    report_eq(rd(0x100), 0x12345678, "and reads");
    report_eq(rd(0x104), ~0u, "the next one is blank");
    report_eq(device_read8(BANK + 0x101), 0x56, "it reads by bytes");
    report_eq(device_read64(BANK + 0x100), 0xffffffff12345678, "and in eight");
    program(0x100, 0xff00ffff);
    report_eq(rd(0x100), 0x12005678, "programming only clears bits");
    command(0, 0x70);
    report_eq(rd(0x100), READY, "status register");
    command(0, 0x50);
    read_array();
    wr(0x200, 0);
    read_array();
    report_eq(rd(0x200), ~0u, "a store without command changes nothing");
}

static void test_erase(void)
{
    unlock(BLOCK);
    unlock(2 * BLOCK);
    program(BLOCK, 0);
    program(2 * BLOCK - 4, 0x11111111);
    program(2 * BLOCK, 0x22222222);
    report_eq(erase(BLOCK + 0x1234), READY, "a block is erased");
    report_eq(rd(BLOCK), ~0u, "from its first word");
    report_eq(rd(2 * BLOCK - 4), ~0u, "to its last");
    report_eq(rd(2 * BLOCK), 0x22222222, "and no further");
    report_eq(rd(0x100), 0x12005678, "nor before");
    command(0, 0x20);
    command(0, 0xff);
    u32 status = rd(0);
    read_array();
    report_eq(rd(0x100), 0x12005678, "erase without confirmation does nothing");
    report_eq(status & 0x00300030, 0x00300030, "and is a sequence error");
    command(0, 0x50);
    read_array();
}

// 128 bytes for each write of the buffer.
static void test_buffer(void)
{
    const u32 base = 3 * BLOCK, n = 16;
    unsigned n_wrong = 0;
    unlock(base);
    command(base, 0xe8);
    report_eq(wait_ready(base), READY, "the buffer is free");
    wr(base, (n - 1) | (n - 1) << 16);
    for (u32 i = 0; i < n; i++)
        wr(base + 4 * i, 0x01010101 * i);
    command(base, 0xd0);
    report_eq(wait_ready(base), READY, "the buffer is programmed");
    read_array();
    for (u32 i = 0; i < n; i++)
        n_wrong += rd(base + 4 * i) != 0x01010101 * i;
    report_eq(n_wrong, 0, "all words of the buffer are there");
    report_eq(rd(base + 4 * n), ~0u, "none behind");
}

static void test_lock(void)
{
    const u32 base = 4 * BLOCK;
    command(base, 0x60);
    command(base, 0x01);
    read_array();
    report(program(base, 0) & 0x00100010, "programming a locked block fails");
    report_eq(rd(base), ~0u, "it stays blank");
    command(base, 0x50);
    unlock(base);
    report_eq(program(base, 0x77777777), READY, "unlocked: programmed");
    report_eq(rd(base), 0x77777777, "unlocked: reads");
}

static void test_execution(void)
{
    const u32 base = 5 * BLOCK;
    unlock(base);
    program(base, insn_load(4, 0x123));
    program(base + 4, INSN_RETURN);
    insn_barrier();
    u64 (*f)(void) = (void *)(WINDOW_DEVICE | (BANK + base));
    report_eq(f(), 0x123, "code runs from flash");
}

int main(void)
{
    test_identity();
    test_program();
    test_erase();
    test_buffer();
    test_lock();
    test_execution();
    return 0;
}
