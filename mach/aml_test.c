// SPDX-License-Identifier: Apache-2.0
// Bytes as the specification gives them. acpi_test.c has whole tables disassembled.
#include "mach/aml.h"

#include "base/bits.h"
#include "base/test.h"

#define CHECK_BYTES(b, ...)                                              \
    do {                                                                 \
        static const u8 wanted[] = {__VA_ARGS__};                        \
        CHECK_EQ((b)->size, sizeof(wanted));                             \
        for (size_t i_ = 0; i_ < sizeof(wanted) && i_ < (b)->size; i_++) \
            CHECK_EQ((b)->data[i_], wanted[i_]);                         \
        bytes_free(b);                                                   \
    } while (0)

TEST(integers_take_the_shortest_form)
{
    struct bytes b = {0};
    struct aml a;
    aml_init(&a, &b);
    aml_int(&a, 0), aml_int(&a, 1), aml_int(&a, 2), aml_int(&a, 0xff);
    aml_int(&a, 0x100), aml_int(&a, 0x10000), aml_int(&a, 0x100000000);
    CHECK_BYTES(&b, 0, 1, 0x0a, 2, 0x0a, 0xff, 0x0b, 0, 1, 0x0c, 0, 0, 1, 0, 0x0e, 0, 0, 0, 0, 1, 0,
                0, 0);
}

TEST(paths_have_one_two_or_many_segments)
{
    struct bytes b = {0};
    struct aml a;
    aml_init(&a, &b);
    aml_path(&a, "X"), aml_path(&a, "\\_SB.PCI0"), aml_path(&a, "A.B.CDEF");
    CHECK_BYTES(&b, 'X', '_', '_', '_', '\\', 0x2e, '_', 'S', 'B', '_', 'P', 'C', 'I', '0', 0x2f, 3,
                'A', '_', '_', '_', 'B', '_', '_', '_', 'C', 'D', 'E', 'F');
}

TEST(blocks_count_their_own_length)
{
    struct bytes b = {0};
    struct aml a;
    aml_init(&a, &b);
    aml_device(&a, "DEV0");
    aml_name_int(&a, "_UID", 1);
    aml_end(&a);
    CHECK_BYTES(&b, 0x5b, 0x82, 11, 'D', 'E', 'V', '0', 0x08, '_', 'U', 'I', 'D', 1);
}

// A package of n one-byte elements: its length field changes width at 63 and 4095 bytes.
static void check_length(unsigned n, u8 first, u8 second, u8 third, unsigned width)
{
    struct bytes b = {0};
    struct aml a;
    aml_init(&a, &b);
    aml_if(&a);
    for (unsigned i = 0; i < n; i++)
        aml_byte(&a, 0xa3);
    aml_end(&a);
    CHECK_EQ(b.size, 1 + width + n);
    CHECK_EQ(b.data[1], first);
    if (width > 1)
        CHECK_EQ(b.data[2], second);
    if (width > 2)
        CHECK_EQ(b.data[3], third);
    bytes_free(&b);
}

TEST(lengths_widen)
{
    check_length(62, 63, 0, 0, 1);
    check_length(63, 0x41, 0x04, 0, 2);      // 65
    check_length(4093, 0x4f, 0xff, 0, 2);    // 4095
    check_length(4094, 0x81, 0x00, 0x01, 3); // 4097
}

TEST(eisa_ids_are_packed)
{
    struct bytes b = {0};
    struct aml a;
    aml_init(&a, &b);
    aml_name_eisa(&a, "_HID", "PNP0501");
    CHECK_BYTES(&b, 0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x05, 0x01);
}

TEST(uuids_are_mixed_endian_buffers)
{
    struct bytes b = {0};
    struct aml a;
    aml_init(&a, &b);
    aml_uuid(&a, "33db4d5b-1ff7-401c-9657-7441c03dd766");
    CHECK_BYTES(&b, 0x11, 19, 0x0a, 16, 0x5b, 0x4d, 0xdb, 0x33, 0xf7, 0x1f, 0x1c, 0x40, 0x96, 0x57,
                0x74, 0x41, 0xc0, 0x3d, 0xd7, 0x66);
}

TEST(fields_skip_in_bits)
{
    struct bytes b = {0};
    struct aml a;
    aml_init(&a, &b);
    u64 position = 0;
    aml_field(&a, "REGS");
    aml_field_at(&a, &position, 8, "AAAA"); // 64 bits: the first length of two bytes
    aml_field_at(&a, &position, 12, "BBBB");
    aml_end(&a);
    CHECK_BYTES(&b, 0x5b, 0x81, 19, 'R', 'E', 'G', 'S', 3, 0, 0x40, 0x04, 'A', 'A', 'A', 'A', 32,
                'B', 'B', 'B', 'B', 32);
}

TEST(resources_end_with_a_tag)
{
    struct bytes b = {0};
    struct aml a;
    aml_init(&a, &b);
    aml_resources(&a);
    aml_interrupt(&a, 0x42);
    aml_end(&a);
    CHECK_BYTES(&b, 0x11, 14, 0x0a, 11, 0x89, 6, 0, 1, 1, 0x42, 0, 0, 0, 0x79, 0);
}
