// SPDX-License-Identifier: Apache-2.0
// A console over a socket, both ways, with full buffers on both sides.
#include "dev/virtio/testbed.h"
#include "base/bits.h"
#include "base/bug.h"
#include "host/console/console.h"

#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { RX = 0, TX = 1, DATA = 0x30000 };

struct line {
    struct bed b;
    struct driver d;
    struct loop loop;
    struct console *console;
    char path[64];
    int fd; // the other end
};

static void line_run(struct line *l)
{
    for (int i = 0; i < 10; i++)
        loop_run(&l->loop, 1000000);
}

static bool line_open(struct line *l)
{
    struct err e = {0};
    char text[100];
    memset(l, 0, sizeof(*l));
    bed_init(&l->b);
    BUG_ON(!loop_init(&l->loop, &e));
    loop_bind(&l->loop, &l->b.mem.device_lock, &l->b.clock);
    snprintf(l->path, sizeof(l->path), "/tmp/lh-console-%d", (int)getpid());
    snprintf(text, sizeof(text), "unix:%s,server,wait=off", l->path);
    l->console = console_open(text, &l->loop, &e);
    if (!CHECK(l->console != NULL))
        return false;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strcpy(to.sun_path, l->path);
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    BUG_ON(connect(l->fd, (struct sockaddr *)&to, sizeof(to)) < 0);
    line_run(l);
    return CHECK(backends_add_chardev(&l->b.backends, "c0", l->console, &e)) &&
           CHECK(bed_device(&l->b, "virtio-serial-pci,chardev=c0", &e) != NULL) &&
           driver_probe(&l->d, &l->b, 1 << 3) && driver_start(&l->d, ~0ULL, true);
}

static void line_close(struct line *l)
{
    bed_free(&l->b);
    close(l->fd);
    console_close(l->console);
    loop_free(&l->loop);
    unlink(l->path);
}

TEST(output_goes_out)
{
    struct line l;
    char got[64] = {0};
    REQUIRE(line_open(&l));
    CHECK_EQ(driver_get(&l.d, l.d.config + 4, 4), 1); // ports
    memcpy(l.b.ram + DATA, "hello, world", 12);
    struct piece p[] = {{DATA, 5, false}, {DATA + 5, 7, false}};
    CHECK_EQ(driver_do(&l.d, TX, p, 2), 0);
    CHECK_EQ(driver_n_interrupts(&l.d, TX), 1);
    // A character without queues.
    driver_set(&l.d, l.d.config + offsetof(struct virtio_console_config, emerg_wr), '!', 4);
    line_run(&l);
    CHECK_EQ(read(l.fd, got, sizeof(got)), 13);
    CHECK_STR(got, "hello, world!");
    line_close(&l);
}

TEST(input_waits_for_buffers)
{
    struct line l;
    REQUIRE(line_open(&l));
    CHECK_EQ(write(l.fd, "abcdefgh", 8), 8);
    line_run(&l);
    CHECK_EQ(driver_n_used(&l.d, RX), 0);
    struct piece p[] = {{DATA, 3, true}};
    CHECK_EQ(driver_do(&l.d, RX, p, 1), 3);
    CHECK(!memcmp(l.b.ram + DATA, "abc", 3));
    struct piece rest[] = {{DATA, 1, true}, {DATA + 0x100, 100, true}};
    CHECK_EQ(driver_do(&l.d, RX, rest, 2), 5);
    CHECK_EQ(l.b.ram[DATA], 'd');
    CHECK(!memcmp(l.b.ram + DATA + 0x100, "efgh", 4));
    // A buffer that waits for input.
    driver_add(&l.d, RX, p, 1);
    driver_kick(&l.d, RX);
    CHECK_EQ(driver_n_used(&l.d, RX), 0);
    CHECK_EQ(write(l.fd, "xy", 2), 2);
    line_run(&l);
    CHECK_EQ(driver_wait(&l.d, RX, NULL), 2);
    CHECK_EQ(driver_n_interrupts(&l.d, RX), 3);
    line_close(&l);
}

// Reads what comes until nothing does, and checks that it counts up.
static u64 read_all(struct line *l, u64 from)
{
    static u8 bytes[65536];
    for (int idle = 0; idle < 3;) {
        ssize_t n = read(l->fd, bytes, sizeof(bytes));
        for (ssize_t i = 0; i < n; i++)
            if (bytes[i] != (u8)(from + (u64)i))
                return CHECK_EQ(bytes[i], (u8)(from + (u64)i)), from;
        from += n > 0 ? (u64)n : 0;
        idle = n > 0 ? 0 : idle + 1;
        line_run(l);
        bed_run_timers(&l->b);
    }
    return from;
}

TEST(output_that_nobody_reads_waits)
{
    struct line l;
    REQUIRE(line_open(&l));
    enum { SIZE = 256 << 10 };
    for (unsigned i = 0; i < SIZE; i++)
        l.b.ram[0x40000 + i] = (u8)i;
    struct piece p[] = {{0x40000, SIZE, false}};
    for (int i = 0; i < 8; i++)
        driver_add(&l.d, TX, p, 1);
    driver_kick(&l.d, TX);
    line_run(&l);
    CHECK(driver_n_used(&l.d, TX) < 8); // sockets do not hold two megabytes
    CHECK_EQ(read_all(&l, 0), 8 * SIZE);
    CHECK_EQ(driver_n_used(&l.d, TX), 8);
    line_close(&l);
}

TEST(a_console_that_takes_everything_does_not_keep_the_machine)
{
    struct bed b;
    struct driver d;
    struct loop loop;
    struct err e = {0};
    bed_init(&b);
    REQUIRE(loop_init(&loop, &e));
    struct console *c = console_open("null", &loop, &e);
    REQUIRE(c != NULL);
    REQUIRE(backends_add_chardev(&b.backends, "c0", c, &e));
    CHECK(!bed_device(&b, "virtconsole,chardev=c0", &e));
    CHECK_STR(e.text,
              "virtconsole: needs a virtio-serial-pci before it whose port is not connected");
    REQUIRE(bed_device(&b, "virtio-serial-pci", &e) != NULL);
    REQUIRE(driver_probe(&d, &b, 1 << 3) && driver_start(&d, ~0ULL, true));
    struct piece p = {0, 100, false};
    CHECK_EQ(driver_do(&d, TX, &p, 1), 0); // goes nowhere
    CHECK(!bed_device(&b, "virtconsole", &e));
    CHECK_STR(e.text, "virtconsole: property 'chardev' is missing");
    REQUIRE(bed_device(&b, "virtconsole,chardev=c0", &e) != NULL);
    CHECK(!bed_device(&b, "virtio-serial-pci,chardev=c0", &e));
    CHECK_STR(e.text, "virtio-serial-pci: chardev 'c0' is already used by virtio-serial-pci");
    REQUIRE(driver_probe(&d, &b, 1 << 3) && driver_start(&d, ~0ULL, true));
    // 64 times all of the memory.
    enum { TABLE = 0x30000 };
    for (unsigned i = 0; i < 64; i++) {
        store_le(b.ram + TABLE + 16 * i, 0, 8);
        store_le(b.ram + TABLE + 16 * i + 8, BED_RAM, 4);
        store_le(b.ram + TABLE + 16 * i + 12, i < 63 ? VRING_DESC_F_NEXT : 0, 2);
        store_le(b.ram + TABLE + 16 * i + 14, i + 1, 2);
    }
    driver_set_desc(&d, TX, 0, TABLE, 64 * 16, VRING_DESC_F_INDIRECT, 0);
    driver_make_available(&d, TX, 0);
    driver_kick(&d, TX);
    CHECK_EQ(driver_n_used(&d, TX), 0);
    CHECK(b.clock.first != NULL);
    unsigned turns = 0;
    while (b.clock.first && turns++ < 2000)
        bed_run_timers(&b);
    CHECK_EQ(turns, 64 * BED_RAM / 65536 - 1);
    CHECK_EQ(driver_n_used(&d, TX), 1);
    bed_free(&b);
    console_close(c);
    loop_free(&loop);
}
