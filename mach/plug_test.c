// SPDX-License-Identifier: Apache-2.0
// -drive and -device texts on a whole machine.
#include "mach/boot_order.h"
#include "mach/la_virt_map.h"
#include "mach/machine_bench.h"

static const char *const program[] = {"nop", NULL};

struct texts {
    char drives[3][192];
    const char *drive_list[3], *device_list[4];
};

static const char *disk_file(struct bench *b)
{
    const char *path = bench_file(b, "disk", 4);
    CHECK_EQ(truncate(path, 1 << 20), 0);
    return path;
}

// A disk as drive `i`, with more options.
static void add_drive(struct bench *b, struct texts *t, const char *path, const char *more)
{
    size_t i = b->config.n_drives++;
    snprintf(t->drives[i], sizeof(t->drives[i]), "file=%s%s", path, more);
    t->drive_list[i] = t->drives[i];
    b->config.drives = t->drive_list;
}

static void add_device(struct bench *b, struct texts *t, const char *text)
{
    t->device_list[b->config.n_devices++] = text;
    b->config.devices = t->device_list;
}

static u32 slot_id(struct bench *b, unsigned slot)
{
    return (u32)mem_read(&b->machine->mem, VIRT_ECAM_BASE + slot * 0x8000, 4);
}

#define VIRTIO_NET 0x10411af4
#define VIRTIO_BLK 0x10421af4
#define VIRTIO_RNG 0x10441af4
#define NOTHING    0xffffffff

TEST(a_drive_is_a_disk_in_the_next_slot)
{
    struct bench b;
    struct texts t = {0};
    bench_init(&b);
    bench_program(&b, program, PROGRAM_BASE);
    add_drive(&b, &t, disk_file(&b), "");
    add_device(&b, &t, "virtio-rng-pci,id=r,addr=5");
    if (bench_start(&b)) {
        CHECK_EQ(slot_id(&b, 1), VIRTIO_BLK);
        CHECK_EQ(slot_id(&b, 2), NOTHING);
        CHECK_EQ(slot_id(&b, 5), VIRTIO_RNG);
    }
    bench_free(&b);
}

TEST(drives_without_an_interface_wait_for_a_device)
{
    struct bench b;
    struct texts t = {0};
    bench_init(&b);
    bench_program(&b, program, PROGRAM_BASE);
    add_drive(&b, &t, disk_file(&b), ",if=none,id=d0,readonly=on");
    add_device(&b, &t, "virtio-blk-pci,drive=d0,addr=3.0,serial=a,,b");
    if (bench_start(&b)) {
        CHECK_EQ(slot_id(&b, 1), NOTHING);
        CHECK_EQ(slot_id(&b, 3), VIRTIO_BLK);
    }
    bench_free(&b);
}

TEST(the_boot_order_follows_the_indexes)
{
    struct bench b;
    struct texts t = {0};
    bench_init(&b);
    bench_program(&b, program, PROGRAM_BASE);
    add_drive(&b, &t, disk_file(&b), ",if=none,id=d0");
    add_drive(&b, &t, disk_file(&b), ",if=none,id=d1");
    add_device(&b, &t, "virtio-blk-pci,drive=d0,addr=4,bootindex=7");
    add_device(&b, &t, "virtio-blk-pci,drive=d1,addr=1f.0,bootindex=2");
    if (bench_start(&b)) {
        struct bytes order = {0};
        CHECK(boot_order_put(b.machine, &order, &b.e));
        CHECK_STR((const char *)order.data,
                  "/pci@i0cf8/scsi@1f/disk@0,0\n/pci@i0cf8/scsi@4/disk@0,0\n");
        bytes_free(&order);
    }
    bench_free(&b);
}

static void refuses_device(const char *text, const char *message)
{
    struct bench b;
    struct texts t = {0};
    bench_init(&b);
    bench_program(&b, program, PROGRAM_BASE);
    add_device(&b, &t, "virtio-rng-pci,id=first,addr=6,bootindex=1");
    add_device(&b, &t, text);
    bench_refused(&b, message);
    bench_free(&b);
}

TEST(wrong_devices_are_refused)
{
    refuses_device("floppy", "-device floppy: there is no device 'floppy'; there are: ");
    refuses_device("ls7a-pic", "there is no device 'ls7a-pic'");
    refuses_device("", "there is no device ''");
    refuses_device("virtio-rng-pci,colour=red", "no property 'colour'");
    refuses_device("virtio-rng-pci,addr=99", "-device virtio-rng-pci,addr=99: ");
    refuses_device("virtio-rng-pci,addr=6", "-device virtio-rng-pci,addr=6: ");
    refuses_device("virtio-rng-pci,id=first", "id=first: another device has it");
    refuses_device("virtio-rng-pci,bootindex=1", "bootindex=1: another device has it");
    refuses_device("virtio-rng-pci,bootindex=x", "bootindex=x: not a number");
    refuses_device("virtio-blk-pci", "-device virtio-blk-pci: ");
    refuses_device("virtio-blk-pci,drive=none", "'none'");
}

static void refuses_drive(const char *path, const char *more, const char *message)
{
    struct bench b;
    struct texts t = {0};
    bench_init(&b);
    bench_program(&b, program, PROGRAM_BASE);
    add_drive(&b, &t, path ? path : disk_file(&b), more);
    bench_refused(&b, message);
    bench_free(&b);
}

TEST(wrong_drives_are_refused)
{
    refuses_drive("/nonexistent/disk", "",
                  "-drive file=/nonexistent/disk: open '/nonexistent/disk': No such");
    refuses_drive("/tmp", "", "-drive file=/tmp: open '/tmp': Is a directory");
    refuses_drive(NULL, ",format=vmdk", "format=vmdk: there is only raw");
    refuses_drive(NULL, ",if=pflash,unit=4", "unit=4: there are 2 flash banks");
}

// A network needs nothing of the host before its card is used.
TEST(networks_get_cards)
{
    struct bench b;
    struct texts t = {0};
    bench_init(&b);
    bench_program(&b, program, PROGRAM_BASE);
    static const char *const netdevs[] = {"user,id=n0"}, *const nics[] = {"none", "user,addr=9"};
    b.config.netdevs = netdevs;
    b.config.n_netdevs = 1;
    b.config.nics = nics;
    b.config.n_nics = 2;
    add_device(&b, &t, "virtio-net-pci,netdev=n0,addr=8");
    b.machine = machine_new(&b.config, &b.e);
    if (b.machine) {
        CHECK_EQ(slot_id(&b, 8), VIRTIO_NET);
        CHECK_EQ(slot_id(&b, 9), VIRTIO_NET);
    } else {
        // The user network is a library that may be absent.
        CHECK(strstr(b.e.text, "-netdev user,id=n0: "));
    }
    bench_free(&b);
}

TEST(wrong_networks_are_refused)
{
    struct bench b;
    const char *text = "carrier-pigeon,id=n0";
    bench_init(&b);
    bench_program(&b, program, PROGRAM_BASE);
    b.config.netdevs = &text;
    b.config.n_netdevs = 1;
    bench_refused(&b, "-netdev carrier-pigeon,id=n0: ");
    b.config.n_netdevs = 0;
    b.config.nics = &text;
    b.config.n_nics = 1;
    bench_refused(&b, "-nic carrier-pigeon,id=n0: ");
    bench_free(&b);
}

TEST(one_image_serves_one_disk)
{
    struct bench b;
    struct texts t = {0};
    bench_init(&b);
    bench_program(&b, program, PROGRAM_BASE);
    const char *path = disk_file(&b);
    add_drive(&b, &t, path, ",id=a");
    add_drive(&b, &t, path, ",id=b");
    bench_refused(&b, "is in use");
    snprintf(t.drives[1], sizeof(t.drives[1]), "file=%s,id=a", disk_file(&b));
    bench_refused(&b, "there are two drives with id 'a'");
    bench_free(&b);
}

TEST(too_many_devices_are_refused)
{
    struct bench b;
    bench_init(&b);
    bench_program(&b, program, PROGRAM_BASE);
    const char *many[200];
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = "virtio-rng-pci";
    b.config.devices = many;
    b.config.n_devices = ARRAY_LEN(many);
    bench_refused(&b, "-device virtio-rng-pci: ");
    bench_free(&b);
}
