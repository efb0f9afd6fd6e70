// SPDX-License-Identifier: Apache-2.0
// A disk driven through its registers: every request, both kinds of interrupts, errors, resets.
#include "dev/virtio/testbed.h"
#include "base/bits.h"
#include "base/bug.h"
#include "host/block/block.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <unistd.h>

enum { HEADER = 0x20000, STATUS = 0x20100, DATA = 0x30000 };

struct image {
    char path[64];
    int fd;
};

static void image_make(struct image *im, u64 size)
{
    strcpy(im->path, "/tmp/lh-blk-XXXXXX");
    im->fd = mkstemp(im->path);
    BUG_ON(im->fd < 0 || ftruncate(im->fd, (off_t)size) < 0);
}

static void image_free(struct image *im)
{
    close(im->fd);
    unlink(im->path);
}

static bool add_image(struct bed *b, const struct image *im, const char *id, bool is_readonly)
{
    struct err e = {0};
    struct block *block = block_open_raw(im->path, is_readonly, &e);
    if (!CHECK(block != NULL) || !CHECK(backends_add_drive(&b->backends, id, block, &e))) {
        printf("# %s\n", e.text);
        return false;
    }
    return true;
}

static s64 request(struct driver *d, u32 type, u64 sector, u64 data, u32 size, bool is_in)
{
    u8 *h = d->bed->ram + HEADER;
    store_le(h, type, 4);
    store_le(h + 4, 0, 4);
    store_le(h + 8, sector, 8);
    d->bed->ram[STATUS] = 0xee;
    struct piece p[3] = {{HEADER, 16, false}, {data, size, is_in}, {STATUS, 1, true}};
    if (!size)
        p[1] = p[2];
    return driver_do(d, 0, p, size ? 3 : 2);
}

static u8 status(const struct driver *d)
{
    return d->bed->ram[STATUS];
}

static bool start(struct bed *b, struct driver *d, const char *options, bool msix)
{
    struct err e = {0};
    char text[128];
    snprintf(text, sizeof(text), "virtio-blk-pci,drive=d0%s", options);
    if (!CHECK(bed_device(b, text, &e) != NULL)) {
        printf("# %s\n", e.text);
        return false;
    }
    return driver_probe(d, b, 1 << 3) && driver_start(d, ~0ULL, msix);
}

TEST(reads_and_writes_with_both_kinds_of_interrupts)
{
    for (int msix = 0; msix < 2; msix++) {
        struct bed b;
        struct driver d;
        struct image im;
        bed_init(&b);
        image_make(&im, 1 << 20);
        REQUIRE(add_image(&b, &im, "d0", false));
        REQUIRE(start(&b, &d, "", msix));
        CHECK_EQ(driver_get(&d, d.config, 8), 2048);
        CHECK_EQ(driver_get(&d, d.config + offsetof(struct virtio_blk_config, blk_size), 4), 512);
        for (unsigned i = 0; i < 4096; i++)
            b.ram[DATA + i] = (u8)(i * 7);
        CHECK_EQ(request(&d, VIRTIO_BLK_T_OUT, 5, DATA, 4096, false), 1);
        CHECK_EQ(status(&d), VIRTIO_BLK_S_OK);
        CHECK_EQ(driver_n_interrupts(&d, 0), 1);
        if (!msix) {
            CHECK_EQ(driver_get(&d, d.isr, 1), 1);
            CHECK_EQ(driver_n_interrupts(&d, 0), 0);
            CHECK_EQ(driver_get(&d, d.isr, 1), 0);
        }
        u8 back[4096];
        CHECK_EQ(pread(im.fd, back, 4096, 5 * 512), 4096);
        CHECK(!memcmp(back, b.ram + DATA, 4096));
        CHECK_EQ(request(&d, VIRTIO_BLK_T_IN, 4, DATA + 0x2000, 2048, true), 2049);
        CHECK_EQ(status(&d), VIRTIO_BLK_S_OK);
        CHECK_EQ(driver_n_interrupts(&d, 0), msix ? 2 : 1);
        CHECK_EQ(b.ram[DATA + 0x2000], 0);
        CHECK(!memcmp(b.ram + DATA + 0x2200, b.ram + DATA, 1536));
        CHECK_EQ(request(&d, VIRTIO_BLK_T_FLUSH, 0, 0, 0, false), 1);
        CHECK_EQ(status(&d), VIRTIO_BLK_S_OK);
        bed_free(&b);
        image_free(&im);
    }
}

TEST(pieces_may_be_cut_anywhere_and_lie_in_several_blocks_of_ram)
{
    struct bed b;
    struct driver d;
    struct image im;
    bed_init(&b);
    image_make(&im, 1 << 20);
    REQUIRE(add_image(&b, &im, "d0", false));
    REQUIRE(start(&b, &d, "", true));
    u8 data[1024];
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (u8)(i ^ 0x55);
    CHECK_EQ(pwrite(im.fd, data, sizeof(data), 3 * 512), sizeof(data));
    u8 *h = b.ram + HEADER;
    memset(h, 0, 16);
    store_le(h + 8, 3, 8);
    // Header in two, data and status in five, with empty ones and a status behind data.
    struct piece p[] = {
        {HEADER, 7, false},       {HEADER + 7, 9, false},        {DATA, 0, true},
        {DATA, 1, true},          {BED_HIGH_RAM + 3, 700, true}, {DATA + 1, 0, true},
        {DATA + 0x100, 324, true}};
    CHECK_EQ(driver_do(&d, 0, p, ARRAY_LEN(p)), 1025);
    u8 back[1024];
    back[0] = b.ram[DATA];
    CHECK(mem_dma_read(&b.mem, BED_HIGH_RAM + 3, back + 1, 700));
    memcpy(back + 701, b.ram + DATA + 0x100, 323);
    CHECK(!memcmp(back, data, 1024));
    CHECK_EQ(b.ram[DATA + 0x100 + 323], VIRTIO_BLK_S_OK);
    bed_free(&b);
    image_free(&im);
}

TEST(bad_requests_are_answered_with_errors)
{
    struct bed b;
    struct driver d;
    struct image im;
    bed_init(&b);
    image_make(&im, 64 << 10);
    REQUIRE(add_image(&b, &im, "d0", false));
    REQUIRE(start(&b, &d, ",logical_block_size=4096,physical_block_size=4096", true));
    static const struct {
        u32 type;
        u64 sector;
        u32 size;
        u8 status;
    } cases[] = {
        {VIRTIO_BLK_T_IN, 120, 4096, VIRTIO_BLK_S_OK},
        {VIRTIO_BLK_T_IN, 121, 4096, VIRTIO_BLK_S_IOERR},  // not aligned
        {VIRTIO_BLK_T_IN, 120, 512, VIRTIO_BLK_S_IOERR},   // part of a block
        {VIRTIO_BLK_T_IN, 128, 4096, VIRTIO_BLK_S_IOERR},  // past the end
        {VIRTIO_BLK_T_OUT, 120, 8192, VIRTIO_BLK_S_IOERR}, // across it
        {VIRTIO_BLK_T_OUT, ~0ULL, 4096, VIRTIO_BLK_S_IOERR},
        {VIRTIO_BLK_T_OUT, ~0ULL << 54, 4096, VIRTIO_BLK_S_IOERR}, // offset 0 after overflow
        {VIRTIO_BLK_T_IN, 0, 100, VIRTIO_BLK_S_IOERR},
        {77, 0, 4096, VIRTIO_BLK_S_UNSUPP},
        {VIRTIO_BLK_T_DISCARD, 0, 8, VIRTIO_BLK_S_IOERR},
        {VIRTIO_BLK_T_DISCARD, 0, 32, VIRTIO_BLK_S_UNSUPP},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        request(&d, cases[i].type, cases[i].sector, DATA, cases[i].size,
                cases[i].type == VIRTIO_BLK_T_IN);
        CHECK_EQ(status(&d), cases[i].status);
    }
    CHECK_EQ(driver_status(&d), 15); // errors are not faults
    struct piece no_status[] = {{HEADER, 16, false}};
    driver_add(&d, 0, no_status, 1);
    driver_kick(&d, 0);
    CHECK_EQ(driver_status(&d) & VIRTIO_CONFIG_S_NEEDS_RESET, VIRTIO_CONFIG_S_NEEDS_RESET);
    REQUIRE(driver_start(&d, ~0ULL, true));
    CHECK_EQ(request(&d, VIRTIO_BLK_T_IN, 0, DATA, 4096, true), 4097);
    bed_free(&b);
    image_free(&im);
}

static void range(struct driver *d, u64 sector, u32 n, u32 flags)
{
    store_le(d->bed->ram + DATA, sector, 8);
    store_le(d->bed->ram + DATA + 8, n, 4);
    store_le(d->bed->ram + DATA + 12, flags, 4);
}

TEST(discard_and_write_zeroes)
{
    struct bed b;
    struct driver d;
    struct image im;
    bed_init(&b);
    image_make(&im, 1 << 20);
    u8 ones[4096], back[4096];
    memset(ones, 0xff, sizeof(ones));
    for (unsigned i = 0; i < 16; i++)
        CHECK_EQ(pwrite(im.fd, ones, 4096, 4096 * i), 4096);
    REQUIRE(add_image(&b, &im, "d0", false));
    REQUIRE(start(&b, &d, "", true));
    u64 want = BIT(VIRTIO_BLK_F_DISCARD) | BIT(VIRTIO_BLK_F_WRITE_ZEROES) | BIT(VIRTIO_BLK_F_FLUSH);
    CHECK_EQ(d.features & want, want);
    CHECK_EQ(d.features & BIT(VIRTIO_BLK_F_RO), 0);
    range(&d, 3, 8, 0);
    request(&d, VIRTIO_BLK_T_WRITE_ZEROES, 0, DATA, 16, false);
    CHECK_EQ(status(&d), VIRTIO_BLK_S_OK);
    CHECK_EQ(pread(im.fd, back, 4096, 3 * 512), 4096);
    for (unsigned i = 0; i < 4096; i++)
        CHECK_EQ(back[i], 0);
    CHECK_EQ(pread(im.fd, back, 1, 3 * 512 - 1), 1);
    CHECK_EQ(back[0], 0xff);
    range(&d, 64, 8, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
    request(&d, VIRTIO_BLK_T_WRITE_ZEROES, 0, DATA, 16, false);
    CHECK_EQ(status(&d), VIRTIO_BLK_S_OK);
    CHECK_EQ(pread(im.fd, back, 1, 64 * 512), 1);
    CHECK_EQ(back[0], 0);
    range(&d, 0, 8, 0);
    request(&d, VIRTIO_BLK_T_DISCARD, 0, DATA, 16, false);
    CHECK_EQ(status(&d), VIRTIO_BLK_S_OK);
    range(&d, 0, 8, 1);
    request(&d, VIRTIO_BLK_T_DISCARD, 0, DATA, 16, false);
    CHECK_EQ(status(&d), VIRTIO_BLK_S_UNSUPP);
    range(&d, 2047, 2, 0);
    request(&d, VIRTIO_BLK_T_DISCARD, 0, DATA, 16, false);
    CHECK_EQ(status(&d), VIRTIO_BLK_S_IOERR);
    range(&d, 0, 0xffffffff, 0);
    request(&d, VIRTIO_BLK_T_WRITE_ZEROES, 0, DATA, 16, false);
    CHECK_EQ(status(&d), VIRTIO_BLK_S_IOERR);
    bed_free(&b);
    image_free(&im);
}

TEST(readonly_disk_and_serial)
{
    struct bed b;
    struct driver d;
    struct image im;
    bed_init(&b);
    image_make(&im, 1 << 20);
    REQUIRE(add_image(&b, &im, "d0", true));
    REQUIRE(start(&b, &d, ",serial=disk-one", true));
    CHECK(d.features & BIT(VIRTIO_BLK_F_RO));
    CHECK(!(d.features & BIT(VIRTIO_BLK_F_DISCARD)));
    request(&d, VIRTIO_BLK_T_OUT, 0, DATA, 512, false);
    CHECK_EQ(status(&d), VIRTIO_BLK_S_IOERR);
    range(&d, 0, 8, 0);
    request(&d, VIRTIO_BLK_T_DISCARD, 0, DATA, 16, false);
    CHECK_EQ(status(&d), VIRTIO_BLK_S_IOERR);
    request(&d, VIRTIO_BLK_T_FLUSH, 0, 0, 0, false);
    CHECK_EQ(status(&d), VIRTIO_BLK_S_OK);
    memset(b.ram + DATA, 0xff, 20);
    request(&d, VIRTIO_BLK_T_GET_ID, 0, DATA, VIRTIO_BLK_ID_BYTES, true);
    CHECK_EQ(status(&d), VIRTIO_BLK_S_OK);
    CHECK(!memcmp(b.ram + DATA, "disk-one\0\0\0\0\0\0\0\0\0\0\0\0", 20));
    bed_free(&b);
    image_free(&im);
}

// A back end whose I/O waits until it is let go.
struct slow {
    struct block b;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_open;
    unsigned n_started, n_ended;
};

static int slow_wait(struct slow *s)
{
    pthread_mutex_lock(&s->lock);
    s->n_started++;
    while (!s->is_open)
        pthread_cond_wait(&s->changed, &s->lock);
    s->n_ended++;
    pthread_mutex_unlock(&s->lock);
    return -ENOSPC;
}

static int slow_transfer(struct block *b, u64 offset, struct iovec *iov, int n)
{
    return slow_wait((struct slow *)b);
}

static int slow_flush(struct block *b)
{
    return slow_wait((struct slow *)b);
}

static void slow_free(struct block *b)
{
}

static const struct block_ops slow_ops = {
    .read = slow_transfer, .write = slow_transfer, .flush = slow_flush, .free = slow_free};

static void *let_go(void *opaque)
{
    struct slow *s = opaque;
    usleep(20000);
    pthread_mutex_lock(&s->lock);
    s->is_open = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

TEST(reset_waits_for_running_requests_and_forgets_the_rest)
{
    struct bed b;
    struct driver d;
    struct slow s = {.b = {.ops = &slow_ops, .size = 1 << 20},
                     .lock = PTHREAD_MUTEX_INITIALIZER,
                     .changed = PTHREAD_COND_INITIALIZER};
    struct err e = {0};
    pthread_t t;
    bed_init(&b);
    REQUIRE(backends_add_drive(&b.backends, "d0", &s.b, &e));
    REQUIRE(start(&b, &d, "", true));
    memset(b.ram + HEADER, 0, 16);
    struct piece p[] = {{HEADER, 16, false}, {DATA, 513, true}};
    for (int i = 0; i < 8; i++)
        driver_add(&d, 0, p, 2);
    driver_kick(&d, 0);
    pthread_create(&t, NULL, let_go, &s);
    driver_reset(&d); // returns when none runs any more
    pthread_mutex_lock(&s.lock);
    CHECK_EQ(s.n_started, s.n_ended);
    CHECK(s.n_ended <= 4);
    pthread_mutex_unlock(&s.lock);
    pthread_join(t, NULL);
    CHECK_EQ(driver_n_used(&d, 0), 0);
    CHECK_EQ(driver_status(&d), 0);
    // An error of the host's is an error of the request.
    REQUIRE(driver_start(&d, ~0ULL, true));
    request(&d, VIRTIO_BLK_T_OUT, 0, DATA, 512, false);
    CHECK_EQ(status(&d), VIRTIO_BLK_S_IOERR);
    request(&d, VIRTIO_BLK_T_FLUSH, 0, 0, 0, false);
    CHECK_EQ(status(&d), VIRTIO_BLK_S_IOERR);
    // Freed while requests run.
    s.is_open = false;
    for (int i = 0; i < 8; i++)
        driver_add(&d, 0, p, 2);
    driver_kick(&d, 0);
    pthread_create(&t, NULL, let_go, &s);
    bed_free(&b);
    pthread_join(t, NULL);
}

TEST(the_same_buffer_twice_breaks_the_ring)
{
    struct bed b;
    struct driver d;
    struct slow s = {.b = {.ops = &slow_ops, .size = 1 << 20},
                     .lock = PTHREAD_MUTEX_INITIALIZER,
                     .changed = PTHREAD_COND_INITIALIZER};
    struct err e = {0};
    pthread_t t;
    bed_init(&b);
    REQUIRE(backends_add_drive(&b.backends, "d0", &s.b, &e));
    REQUIRE(start(&b, &d, "", true));
    memset(b.ram + HEADER, 0, 16);
    struct piece p[] = {{HEADER, 16, false}, {DATA, 513, true}};
    u16 head = driver_add(&d, 0, p, 2);
    for (unsigned i = 1; i < RING_SIZE; i++)
        driver_make_available(&d, 0, head);
    driver_kick(&d, 0);
    CHECK_EQ(driver_status(&d) & VIRTIO_CONFIG_S_NEEDS_RESET, 0);
    driver_make_available(&d, 0, head);
    driver_kick(&d, 0);
    CHECK_EQ(driver_status(&d) & VIRTIO_CONFIG_S_NEEDS_RESET, VIRTIO_CONFIG_S_NEEDS_RESET);
    CHECK_EQ(b.n_messages[0], 1); // configuration interrupt
    pthread_create(&t, NULL, let_go, &s);
    pthread_join(t, NULL);
    bed_free(&b);
}

TEST(many_requests_at_once)
{
    struct bed b;
    struct driver d;
    struct image im;
    bed_init(&b);
    image_make(&im, 1 << 20);
    REQUIRE(add_image(&b, &im, "d0", false));
    REQUIRE(start(&b, &d, "", true));
    for (unsigned i = 0; i < 7; i++) {
        u8 *h = b.ram + HEADER + 0x20 * i;
        memset(h, 0, 16);
        store_le(h, i % 2, 4); // reads and writes
        store_le(h + 8, i, 8);
    }
    for (int round = 0; round < 100; round++) {
        for (unsigned i = 0; i < 7; i++) {
            struct piece p[] = {{HEADER + 0x20 * i, 16, false},
                                {DATA + 0x200 * i, i % 2 ? 512 : 513, i % 2 == 0},
                                {STATUS + i, 1, true}};
            driver_add(&d, 0, p, i % 2 ? 3 : 2);
            driver_kick(&d, 0);
        }
        for (unsigned i = 0; i < 7; i++)
            CHECK(driver_wait(&d, 0, NULL) >= 1);
    }
    CHECK_EQ(driver_n_used(&d, 0), 0);
    CHECK_EQ(driver_status(&d), 15);
    bed_free(&b);
    image_free(&im);
}

TEST(wrong_options_say_what_is_wrong)
{
    struct bed b;
    struct err e = {0};
    struct image im;
    bed_init(&b);
    image_make(&im, 1 << 20);
    REQUIRE(add_image(&b, &im, "d0", false));
    CHECK(!bed_device(&b, "virtio-blk-pci", &e));
    CHECK_STR(e.text, "virtio-blk-pci: property 'drive' is missing");
    CHECK(!bed_device(&b, "virtio-blk-pci,drive=dd", &e));
    CHECK_STR(e.text, "virtio-blk-pci: there is no drive 'dd'; there is: d0");
    CHECK(!bed_device(&b, "virtio-blk-pci,drive=d0,queue-size=100", &e));
    CHECK(!bed_device(&b, "virtio-blk-pci,drive=d0,logical_block_size=1000", &e));
    CHECK(!bed_device(&b, "virtio-blk-pci,drive=d0,addr=77", &e));
    CHECK(!bed_device(&b, "virtio-blk-pci,drive=d0", &e));
    CHECK_STR(e.text, "virtio-blk-pci: drive 'd0' is already used by virtio-blk-pci");
    CHECK(!bed_device(&b, "virtio-blk-pci,drive=d0,disable-legacy=off", &e));
    bed_free(&b);
    image_free(&im);
}
