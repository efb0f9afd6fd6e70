// SPDX-License-Identifier: Apache-2.0
#include "hv/blob.h"
#include "base/test.h"
#include "hv/sample_blob.h"

#include <stdlib.h>
#include <string.h>

static bool is_good(const struct sample_blob *s, char why[160])
{
    struct blob b;
    why[0] = 0;
    return blob_check(&b, s, sizeof(*s), why, 160);
}

static void check_refused(struct sample_blob *s, const char *words)
{
    char why[160];
    sample_seal(s);
    CHECK(!is_good(s, why));
    if (!CHECK(strstr(why, words)))
        fprintf(stderr, "# %s\n", why);
}

TEST(a_right_description_is_accepted)
{
    struct sample_blob s = sample_blob("cell", 1);
    char why[160];
    CHECK(is_good(&s, why));
}

TEST(what_is_wrong_is_named)
{
    struct sample_blob good = sample_blob("cell", 1), s;
#define REFUSED(change, words) s = good, change, check_refused(&s, words)
    REFUSED(s.head.magic = 1, "no description");
    REFUSED(s.head.version = 9, "version 9");
    REFUSED(s.head.kind = 3, "kind 3");
    REFUSED(s.head.flags = 2, "flags 2");
    REFUSED(s.head.n_cpus = 0, "0 processors");
    REFUSED(s.head.n_cpus = 9, "9 processors");
    REFUSED(s.head.n_memory = 17, "17 memory regions");
    REFUSED(s.head.n_devices = 1, "its arrays need");
    REFUSED(s.head.n_devices = 0x80000000, "devices");
    REFUSED(s.head.name[0] = 0, "1 to 31 bytes");
    REFUSED(s.head.name[1] = '/', "byte 1");
    REFUSED(memset(s.head.name, 'x', CELL_NAME_SIZE), "1 to 31 bytes");
    REFUSED(s.cpus[1].id = 1, "named twice");
    REFUSED(s.cpus[1].id = 0, "stays with the root cell");
    REFUSED(s.cpus[1].id = 8, "ids are 0 to 7");
    REFUSED(s.cpus[1].reserved = 1, "reserved");
    REFUSED(s.memory[0].type = CELL_MEMORY_DEVICE, "cannot be given");
    REFUSED(s.memory[0].rights = 8, "rights 8");
    REFUSED(s.memory[0].rights = 2, "rights 2");
    REFUSED(s.memory[0].size = 0, "multiples");
    REFUSED(s.memory[1].gpa = 0x4000, "multiples");
    REFUSED(s.memory[1].gpa = ~0ULL << 25, "ends above");
    REFUSED(s.memory[1].size = ~0ULL << 25, "ends above");
    REFUSED(s.memory[1].gpa = 0, "overlaps");
    REFUSED(s.head.entry = 0x80000000, "no executable memory");
    REFUSED(s.head.entry = 2, "no multiple of 4");
    REFUSED(s.memory[0].tag = 1, "tag 1");
    REFUSED(s.memory[1].type = CELL_MEMORY_SHARED, "tag 0");
    REFUSED(s.devices[0].tag = 1, "tag 1");
    REFUSED(s.devices[0].kind = CELL_DEVICE_DOORBELL, "tag 0");
    REFUSED(s.devices[0].kind = 77, "kind 77");
    REFUSED(s.devices[0].gpa = 0x1fe001e1, "cannot be");
    REFUSED(s.devices[0].vector = 256, "above 255");
    REFUSED(s.devices[0].gpa = 0x1000, "shares a page");
    REFUSED(s.devices[1].gpa = 0x1fe001e4, "overlap");
#undef REFUSED
}

static void add_functions(struct sample_blob *s)
{
    s->devices[0] = (struct cell_blob_device){0x40000000, CELL_DEVICE_PCI, 48, 0, 0};
    s->devices[1] = (struct cell_blob_device){0, CELL_DEVICE_VIRTIO_BLOCK, 0, 0, 3};
}

TEST(virtio_functions_are_on_a_bus)
{
    struct sample_blob good = sample_blob("cell", 1), s;
    char why[160];
    add_functions(&good);
    sample_seal(&good);
    CHECK(is_good(&good, why));
#define REFUSED(change, words) s = good, change, check_refused(&s, words)
    REFUSED(s.devices[1].slot = 0, "from 1 to 7");
    REFUSED(s.devices[1].slot = 8, "from 1 to 7");
    REFUSED(s.devices[1].gpa = 0x1000, "nothing else");
    REFUSED(s.devices[1].vector = 1, "nothing else");
    REFUSED(s.devices[1].tag = 1, "nothing else");
    REFUSED(s.devices[0] = s.devices[1], "PCI bus");
    REFUSED(s.devices[0].slot = 1, "tag 0");
    REFUSED(s.devices[0].vector = 249, "above 255");
    REFUSED(s.devices[0].gpa = 0x80000000, "shares a page");
    REFUSED(s.devices[0].gpa = 0x7ff80000, "cannot be");
    REFUSED(s.devices[0].gpa = 0x100000000, "below 4 GiB");
#undef REFUSED
}

TEST(every_flipped_bit_is_noticed)
{
    struct sample_blob good = sample_blob("cell", 1);
    char why[160];
    for (size_t i = 0; i < 8 * sizeof(good); i++) {
        struct sample_blob s = good;
        ((u8 *)&s)[i / 8] ^= (u8)(1 << (i % 8));
        CHECK(!is_good(&s, why));
    }
}

// With a checksum that is right: nothing is read outside of the block, whatever is in it.
TEST(blocks_at_random_do_no_harm)
{
    struct sample_blob good = sample_blob("cell", 1);
    char why[160];
    srand(7);
    for (int i = 0; i < 20000; i++) {
        size_t size = sizeof(good) - (i % 4 ? 0 : (size_t)rand() % sizeof(good));
        struct sample_blob *s = malloc(sizeof(*s));
        struct blob b;
        memcpy(s, &good, sizeof(*s));
        for (int k = rand() % 4; k >= 0; k--)
            ((u8 *)s)[rand() % (int)sizeof(*s)] = (u8)rand();
        s->head.size = (u32)size;
        s->head.crc32 = 0;
        s->head.crc32 = crc32_of(0, s, size);
        void *exact = malloc(size ? size : 1);
        memcpy(exact, s, size);
        blob_check(&b, exact, size, why, sizeof(why));
        free(exact);
        free(s);
    }
    CHECK(true);
}
