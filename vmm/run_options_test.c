// SPDX-License-Identifier: Apache-2.0
#include "vmm/run_options.h"
#include "base/test.h"

static u64 memory(const char *text)
{
    u64 bytes = 0;
    struct err e = {0};
    return run_memory_size(text, &bytes, &e) ? bytes : 0;
}

TEST(memory_sizes)
{
    CHECK_EQ(memory("512"), 512ULL << 20);
    CHECK_EQ(memory("0x200"), 512ULL << 20);
    CHECK_EQ(memory("2097152K"), 2ULL << 30);
    CHECK_EQ(memory("768M"), 768ULL << 20);
    CHECK_EQ(memory("2G"), 2ULL << 30);
    CHECK_EQ(memory("2g"), 2ULL << 30);
    CHECK_EQ(memory("2GB"), 2ULL << 30);
    CHECK_EQ(memory("1T"), 1ULL << 40);
    CHECK_EQ(memory("size=4G"), 4ULL << 30);
    CHECK_EQ(memory("17592186044415"), 17592186044415ULL << 20);
}

TEST(what_is_no_memory_size)
{
    static const char *const texts[] = {"",
                                        "0",
                                        "0G",
                                        "G",
                                        "-1",
                                        "+1",
                                        " 1",
                                        "1.5G",
                                        "1 G",
                                        "1X",
                                        "1GiB",
                                        "1GG",
                                        "1MB1",
                                        "size=",
                                        "1G,",
                                        "1B",
                                        "17592186044416",
                                        "99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        u64 bytes;
        struct err e = {0};
        char message[128];
        CHECK(!run_memory_size(texts[i], &bytes, &e));
        snprintf(message, sizeof(message), "-m '%s': not a size; write 1G or 512M", texts[i]);
        CHECK_STR(e.text, message);
    }
}

TEST(processor_counts)
{
    static const char *const wrong[] = {"", "0", "-1", "1025", "2,sockets=1", "two", "2 ", "1.0"};
    struct err e = {0};
    unsigned n = 0;
    CHECK(run_cpu_count("1", &n, &e) && n == 1);
    CHECK(run_cpu_count("cpus=64", &n, &e) && n == 64);
    CHECK(run_cpu_count("0x10", &n, &e) && n == 16);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        CHECK(!run_cpu_count(wrong[i], &n, &e));
}

TEST(log_classes)
{
    struct err e = {0};
    u32 enabled = 0;
    CHECK(run_log_classes("guest,in_asm", &enabled, &e));
    CHECK_EQ(enabled, 1u << LOG_GUEST | 1u << LOG_IN_ASM);
    CHECK(run_log_classes(",boot,", &enabled, &e));
    CHECK_EQ(enabled, 1u << LOG_GUEST | 1u << LOG_IN_ASM | 1u << LOG_BOOT);
    CHECK(!run_log_classes("boot,gest", &enabled, &e));
    CHECK_STR(e.text, "-d: no log class 'gest'; did you mean guest?");
}

TEST(names)
{
    CHECK_STR(run_name("shed"), "shed");
    CHECK_STR(run_name("guest=shed"), "shed");
}
