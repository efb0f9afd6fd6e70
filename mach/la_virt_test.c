// SPDX-License-Identifier: Apache-2.0
// Whole machines with real processors: small programs run from the reset address on, and every way
// in which a configuration can be wrong has its message.
#include "mach/la_virt_map.h"
#include "mach/machine_bench.h"

#define POWER_OFF                                                                             \
    "lu12i.w $t0, 0x100e0", "ori $t0, $t0, 0x1c", "ori $t1, $zero, 0x34", "st.b $t1, $t0, 0", \
        "idle 0", "b -4"

// Stores a0 to a2, the byte at a1 and the processor's number, then powers off.
static const char *const store_arguments[] = {
    "lu12i.w $t0, 0x201", "st.d $a0, $t0, 0",  "st.d $a1, $t0, 8", "st.d $a2, $t0, 16",
    "ld.bu $t1, $a1, 0",  "st.d $t1, $t0, 24", "ld.d $t1, $a2, 0", "st.d $t1, $t0, 32",
    "csrrd $t1, 0x0",     "st.d $t1, $t0, 40", POWER_OFF,          NULL,
};

TEST(a_kernel_is_entered_with_its_arguments)
{
    struct bench b;
    bench_init(&b);
    bench_program(&b, store_arguments, PROGRAM_BASE);
    b.config.append = "xyz";
    if (bench_start(&b)) {
        bench_run(&b);
        CHECK_EQ(b.machine->shutdown_request, 1 + SHUTDOWN_POWER_OFF);
        CHECK_EQ(bench_word(&b, 0x201000), 1);
        CHECK_EQ(bench_word(&b, 0x201008), 0x10000);
        CHECK_EQ(bench_word(&b, 0x201010), 0x11000);
        CHECK_EQ(bench_word(&b, 0x201018), 'x');
        CHECK_EQ(bench_word(&b, 0x201020), 0x5453595320494249); // "IBI SYST"
        CHECK_EQ(bench_word(&b, 0x201028), 8);                  // direct addresses, interrupts off
    }
    bench_free(&b);
}

TEST(a_kernel_may_lie_in_high_ram)
{
    struct bench b;
    bench_init(&b);
    b.config.ram_size = 512 << 20;
    bench_program(&b, store_arguments, 0x8ff00000);
    if (bench_start(&b)) {
        bench_run(&b);
        CHECK_EQ(bench_word(&b, 0x201000), 1);
    }
    bench_free(&b);
}

// Counts starts in a word of RAM that nothing is loaded to and in one of the loaded data; asks for
// reset.
static const char *const count_starts[] = {
    "lu12i.w $t0, 0x300",
    "ld.d $t1, $t0, 0",
    "addi.d $t1, $t1, 1",
    "st.d $t1, $t0, 0",
    "lu12i.w $t0, 0x202",
    "ld.d $t1, $t0, 0",
    "addi.d $t1, $t1, 1",
    "st.d $t1, $t0, 0",
    "st.d $zero, $a2, 0",
    "lu12i.w $t0, 0x100e0",
    "ori $t0, $t0, 0x1e",
    "ori $t1, $zero, 0x42",
    "st.b $t1, $t0, 0",
    "idle 0",
    "b -4",
    NULL,
};

TEST(a_reset_starts_over)
{
    struct bench b;
    bench_init(&b);
    bench_program(&b, count_starts, PROGRAM_BASE);
    if (bench_start(&b)) {
        for (unsigned i = 1; i <= 3; i++) {
            bench_run(&b);
            CHECK_EQ(b.machine->shutdown_request, 1 + SHUTDOWN_RESET);
            CHECK_EQ(bench_word(&b, 0x300000), i);
            CHECK_EQ(bench_word(&b, 0x202000), 1);
            CHECK_EQ(bench_word(&b, 0x11000), 0);
            machine_reset(b.machine);
            CHECK_EQ(b.machine->shutdown_request, MACHINE_RUNS);
            CHECK_EQ(bench_word(&b, 0x11000), 0x5453595320494249);
        }
    }
    bench_free(&b);
}

// Core 0 puts the address of `second` into each other core's mailbox, low half and high half, and
// sends it interrupt 0, as kernels do; then it waits until all of them have stored their numbers.
static const char *const start_others[] = {
    "lu12i.w $s0, 1",        // 00 base of the IPI registers
    "lu12i.w $s1, 0x201",    // 04 where cores store their numbers
    "ori $s2, $zero, 3",     // 08 the last core
    "lu12i.w $t0, 0x200",    // 0c
    "ori $t0, $t0, 0x70",    // 10 second
    "slli.d $t0, $t0, 32",   // 14 data of Mail_Send
    "slli.d $t1, $s2, 16",   // 18 its core
    "or $t0, $t0, $t1",      // 1c box 0, low half
    "addi.w $t2, $s0, 0x48", // 20
    "iocsrwr.d $t0, $t2",    // 24 Mail_Send
    "ori $t0, $t1, 4",       // 28 high half: 0
    "iocsrwr.d $t0, $t2",    // 2c
    "addi.w $t2, $s0, 0x40", // 30
    "iocsrwr.w $t1, $t2",    // 34 IPI_Send
    "slli.d $t3, $s2, 3",    // 38
    "add.d $t3, $t3, $s1",   // 3c
    "ld.d $t4, $t3, 0",      // 40
    "beqz $t4, -4",          // 44
    "addi.d $s2, $s2, -1",   // 48
    "bnez $s2, -64",         // 4c to 0c
    "lu12i.w $t0, 0x100e0",  // 50
    "ori $t0, $t0, 0x1c",    // 54
    "ori $t1, $zero, 0x34",  // 58
    "st.b $t1, $t0, 0",      // 5c
    "idle 0",                // 60
    "b -4",                  // 64
    "break 0",               // 68
    "break 0",               // 6c
    "csrrd $t0, 0x20",       // 70 second
    "lu12i.w $t1, 0x201",    // 74
    "slli.d $t2, $t0, 3",    // 78
    "add.d $t2, $t2, $t1",   // 7c
    "st.d $t0, $t2, 0",      // 80
    "csrrd $t0, 0x0",        // 84
    "st.d $t0, $t2, 0x100",  // 88
    "idle 0",                // 8c
    "b -4",                  // 90
    NULL,
};

TEST(other_cores_wait_for_their_mailbox)
{
    struct bench b;
    bench_init(&b);
    b.config.n_cpus = 4;
    bench_program(&b, start_others, PROGRAM_BASE);
    if (bench_start(&b)) {
        CHECK_EQ(b.machine->n_cpus, 4);
        bench_run(&b);
        for (unsigned i = 1; i < 4; i++) {
            CHECK_EQ(bench_word(&b, 0x201000 + 8 * i), i);
            CHECK_EQ(bench_word(&b, 0x201100 + 8 * i), 8); // direct addresses, interrupts off
        }
    }
    bench_free(&b);
}

TEST(cores_that_come_late_do_not_miss_their_mailbox)
{
    struct bench b;
    bench_init(&b);
    b.config.n_cpus = 2;
    bench_program(&b, start_others, PROGRAM_BASE);
    // A system with two cores: core 0 begins with core 1.
    if (bench_start(&b)) {
        mem_write(&b.machine->mem, PROGRAM_BASE + 8, 0x03800419, 4); // ori $s2, $zero, 1
        for (unsigned i = 0; i < 10; i++)
            cpu_run(b.machine->cpus[0], 100);
        bench_run(&b);
        CHECK_EQ(bench_word(&b, 0x201008), 1);
    }
    bench_free(&b);
}

TEST(unassigned_addresses_and_the_isa_window)
{
    struct bench b;
    bench_init(&b);
    bench_program(&b, store_arguments, PROGRAM_BASE);
    if (bench_start(&b)) {
        struct mem_space *m = &b.machine->mem;
        CHECK_EQ(mem_read(m, 0x18000064, 1), 0xff);
        CHECK_EQ(mem_read(m, 0x18003ffc, 4), 0xffffffff);
        CHECK_EQ(mem_read(m, 0x15000000, 4), 0xffffffff);
        CHECK_EQ(mem_read(m, 0x20000000, 4), 0x00081b36);
        CHECK_EQ(mem_read(m, 0x1fe00020, 8), 0x303030354133); // "3A5000"
        mem_write(m, VIRT_DMA_CONFIG_BASE + 1, 0xab, 1);
        CHECK_EQ(mem_read(m, VIRT_DMA_CONFIG_BASE, 4), 0xab00);
        mem_write(m, 0x1c000000, 0, 4); // the boot ROM cannot be written
        CHECK_EQ(mem_read(m, 0x1c000000, 4), 0x0400800c);
        for (unsigned i = 0; i < 4; i++) {
            mem_write(m, 0x1fe001e7 + 0x100 * i, 0x5a + i, 1); // scratch registers
            CHECK_EQ(mem_read(m, 0x1fe001e7 + 0x100 * i, 1), 0x5a + i);
        }
    }
    bench_free(&b);
}

TEST(the_power_button_raises_the_event_pin)
{
    struct bench b;
    bench_init(&b);
    bench_program(&b, store_arguments, PROGRAM_BASE);
    if (bench_start(&b)) {
        struct mem_space *m = &b.machine->mem;
        mem_write(m, VIRT_PCH_PIC_BASE + 0x20, 0, 8); // all unmasked
        CHECK_EQ(mem_read(m, VIRT_PCH_PIC_BASE + 0x3a0, 8), 0);
        machine_power_button(b.machine);
        CHECK_EQ(mem_read(m, VIRT_PCH_PIC_BASE + 0x3a0, 8), 1 << VIRT_PIN_GED);
        CHECK_EQ(mem_read(m, VIRT_GED_BASE, 4), 2);
        CHECK_EQ(mem_read(m, VIRT_PCH_PIC_BASE + 0x3a0, 8), 0);
    }
    bench_free(&b);
}

// Follows the EFI configuration table whose GUID begins with `first`.
static u64 config_table(struct bench *b, u32 first)
{
    u64 config = bench_word(b, 0x11000 + 112);
    for (u64 i = 0; i < bench_word(b, 0x11000 + 104); i++)
        if ((u32)bench_word(b, config + 24 * i) == first)
            return bench_word(b, config + 24 * i + 16);
    return 0;
}

static void check_initrd(unsigned ram_mib, size_t initrd_size, u64 base)
{
    struct bench b;
    bench_init(&b);
    b.config.ram_size = (u64)ram_mib << 20;
    bench_program(&b, store_arguments, PROGRAM_BASE);
    b.config.initrd = bench_file(&b, "cpio", 4);
    CHECK_EQ(truncate(b.config.initrd, (off_t)initrd_size), 0);
    if (bench_start(&b)) {
        u64 initrd = config_table(&b, 0x5568e427);
        CHECK_EQ(bench_word(&b, initrd), base);
        CHECK_EQ(bench_word(&b, initrd + 8), initrd_size);
        CHECK_EQ((u32)bench_word(&b, base), 0x6f697063);
    }
    bench_free(&b);
}

TEST(the_initrd_lies_high_in_low_ram_or_in_high_ram)
{
    check_initrd(257, 5, 0xfffc000);
    check_initrd(1024, 0x4001, 0xfff8000);
    check_initrd(257, (254 << 20) - 0x4000, 0x204000);
    check_initrd(1024, 254 << 20, 0x80000000 + (768 << 20) - (254 << 20));
}

TEST(memory_tables_match_the_memory)
{
    static const unsigned sizes[] = {256, 512, 1024, 16384};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct bench b;
        bench_init(&b);
        b.config.ram_size = (u64)sizes[i] << 20;
        bench_program(&b, store_arguments, PROGRAM_BASE);
        if (bench_start(&b)) {
            u64 map = config_table(&b, 0x800f683f), total = 0;
            u64 n = bench_word(&b, map) / 40;
            CHECK_EQ(n, sizes[i] > 256 ? 5 : 4);
            for (u64 j = 0; j < n; j++)
                total += bench_word(&b, map + 40 + 40 * j + 24) * 4096;
            CHECK_EQ(total, b.config.ram_size);
            CHECK_EQ(bench_word(&b, config_table(&b, 0x8868e871)),
                     0x2052545020445352); // "RSD PTR "
        }
        bench_free(&b);
    }
}

TEST(wrong_sizes_are_refused)
{
    struct bench b;
    bench_init(&b);
    bench_program(&b, store_arguments, PROGRAM_BASE);
    b.config.ram_size = 255 << 20;
    bench_refused(&b, "memory of 255 MiB: the board virt needs at least 256 MiB");
    b.config.ram_size = (256 << 20) + 4096;
    bench_refused(&b, "memory of 268439552 bytes: has to be a multiple of 1 MiB");
    b.config.ram_size = 2ULL << 40;
    bench_refused(&b, "memory of 2097152 MiB: the board virt has room for 1 TiB");
    b.config.ram_size = 256 << 20;
    b.config.n_cpus = 65;
    bench_refused(&b, "65 processors: the board virt has room for 64");
    b.config.n_cpus = 1;
    b.config.board = "malta";
    bench_refused(&b, "there is no board 'malta'; there are: virt");
    bench_free(&b);
}

TEST(wrong_kernels_are_refused)
{
    struct bench b;
    bench_init(&b);
    bench_refused(&b, "nothing to boot: give a kernel (-kernel) or firmware (-bios)");
    b.config.kernel = "/nonexistent/vmlinuz";
    bench_refused(&b, "kernel '/nonexistent/vmlinuz': cannot open: No such file or directory");
    b.config.kernel = "/tmp";
    bench_refused(&b, "kernel '/tmp': is a directory");
    b.config.kernel = "/dev/null";
    bench_refused(&b, "kernel '/dev/null': is empty");
    b.config.kernel = bench_file(&b, "#!/bin/sh\n", 10);
    bench_refused(&b, "': is a text file, not a kernel");
    bench_free(&b);

    bench_init(&b);
    bench_program(&b, store_arguments, PROGRAM_BASE);
    CHECK_EQ(truncate(b.config.kernel, 100), 0);
    bench_refused(&b, "': is truncated: 100 bytes");
    bench_free(&b);
}

TEST(kernels_that_do_not_fit_are_refused)
{
    struct bench b;
    bench_init(&b);
    bench_program(&b, store_arguments, 0x10000);
    bench_refused(
        &b, "': 0x10000-0x12fff overlaps 0x10000-0x13fff of the EFI tables and the command line; "
            "link it into RAM at or above 0x200000");
    bench_free(&b);

    bench_init(&b);
    bench_program(&b, store_arguments, 0x1c000000);
    bench_refused(
        &b, "': 0x1c000000-0x1c002fff is not in RAM, which is 0x0-0xfffffff; link it into RAM");
    bench_free(&b);

    bench_init(&b);
    bench_program(&b, store_arguments, 0x80000000);
    bench_refused(&b, "is not in RAM");
    bench_free(&b);
}

// Linux has taken pages from there when it comes to look for its initrd.
TEST(the_initrd_keeps_away_from_the_top_of_ram_if_it_can)
{
    check_initrd(256, 5, 0x9ffc000);
    check_initrd(256, 160 << 20, 0xf000000 - (160 << 20));
    check_initrd(256, (254 << 20) - 0x4000, 0x204000);
}

TEST(wrong_initrds_are_refused)
{
    struct bench b;
    bench_init(&b);
    b.config.initrd = "/nonexistent/initrd";
    bench_refused(&b, "an initrd (-initrd) is of use only with a kernel (-kernel)");
    bench_program(&b, store_arguments, PROGRAM_BASE);
    bench_refused(&b, "initrd '/nonexistent/initrd': cannot open: No such file or directory");
    b.config.initrd = "/tmp";
    bench_refused(&b, "initrd '/tmp': is a directory");
    b.config.initrd = "/dev/null";
    bench_refused(&b, "initrd '/dev/null': is empty");
    b.config.initrd = bench_file(&b, "", 0);
    CHECK_EQ(truncate(b.config.initrd, 255 << 20), 0);
    bench_refused(
        &b, "': its 267386880 bytes fit nowhere beside the kernel; memory (-m) of 512M has room");
    bench_free(&b);
}

TEST(command_lines_are_checked)
{
    struct bench b;
    bench_init(&b);
    char text[4097];
    memset(text, 'a', 4096);
    text[4096] = 0;
    b.config.append = text;
    bench_refused(&b, "a command line (-append) is of use only with a kernel (-kernel)");
    bench_program(&b, store_arguments, PROGRAM_BASE);
    bench_refused(&b, "the kernel's command line has 4096 bytes, at most 4095 are possible");
    text[4095] = 0;
    CHECK(bench_start(&b));
    bench_free(&b);
}

static struct cpu *no_cpu(void *opaque, struct cpu_bus *bus, unsigned index, struct err *e)
{
    if (index < 1)
        return bench_cpu(opaque, bus, index, e);
    err_set(e, "processor %u: out of silicon", index);
    return NULL;
}

TEST(processors_that_cannot_be_made_are_reported)
{
    struct bench b;
    bench_init(&b);
    bench_program(&b, store_arguments, PROGRAM_BASE);
    b.config.n_cpus = 2;
    b.config.cpu_new = no_cpu;
    bench_refused(&b, "processor 1: out of silicon");
    bench_free(&b);
}

TEST(two_machines_live_in_one_process)
{
    struct bench a, b;
    bench_init(&a);
    bench_init(&b);
    bench_program(&a, store_arguments, PROGRAM_BASE);
    bench_program(&b, start_others, PROGRAM_BASE);
    b.config.n_cpus = 4;
    if (bench_start(&a) && bench_start(&b)) {
        bench_run(&b);
        bench_run(&a);
        CHECK_EQ(bench_word(&a, 0x201000), 1);
        CHECK_EQ(bench_word(&b, 0x201018), 3);
    }
    bench_free(&a);
    bench_free(&b);
}
