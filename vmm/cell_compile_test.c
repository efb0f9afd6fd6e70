// SPDX-License-Identifier: Apache-2.0
#include "vmm/cell_compile.h"
#include "base/test.h"
#include "hv/crc32.h"
#include "vmm/cell_dts.h"
#include "vmm/cell_fdt.h"

#include <libfdt.h>
#include <stdlib.h>

static const char good[] =
    "/dts-v1/; // comment\n"
    "/ {\n"
    "  compatible = \"longhouse,cell\";\n"
    "  model = \"one\"; cpus = <1 2>; entry = <0 0x200000>;\n"
    "  /* more\n     than a line */ debug-calls;\n"
    "  kernel = \"/k\"; initrd = \"/i\"; bootargs = \"quiet\";\n"
    "  memory@0 { reg = <0 0 0 0x2000000>; };\n"
    "  memory@80000000 { reg = <0 0x80000000 0 0x2000000>; rights = \"rw\"; };\n"
    "  serial@1fe001e0 { reg = <0 0x1fe001e0>; vector = <32>; };\n"
    "  power@100e001c { reg = <0 0x100e001c>; };\n"
    "  isa@18000000 { reg = <0 0x18000000>; };\n"
    "};\n";

static struct cell_description d;

static bool compile(const char *text, struct err *e)
{
    e->text[0] = 0;
    return cell_compile(&d, (const u8 *)text, strlen(text), e);
}

// The good source with one text in place of another.
static void refuse(const char *from, const char *to, const char *words)
{
    static char text[2 * sizeof(good)];
    struct err e;
    const char *at = strstr(good, from);
    if (!CHECK(at))
        return;
    snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
    CHECK(!compile(text, &e));
    if (!CHECK(strstr(e.text, words)))
        fprintf(stderr, "# %s: %s\n", to, e.text);
}

TEST(virtio_functions_have_something_behind_them)
{
    struct err e;
    refuse("isa@18000000 { reg = <0 0x18000000>; };",
           "pci@40000000 { reg = <0 0x40000000>; vector = <48>; };"
           "virtio-block@1 { reg = <1>; };",
           "property 'drive' is missing");
    refuse("isa@18000000 { reg = <0 0x18000000>; };",
           "pci@40000000 { reg = <0 0x40000000>; vector = <48>; };"
           "virtio-net@9 { reg = <9>; netdev = \"x\"; };",
           "from 1 to 7");
    refuse("isa@18000000 { reg = <0 0x18000000>; };",
           "virtio-net@1 { reg = <1>; netdev = \"x\"; drive = \"y\"; };", "'drive' is not known");
    refuse("isa@18000000 { reg = <0 0x18000000>; };",
           "virtio-net@1 { reg = <1>; netdev = \"x\"; };", "PCI bus");
    CHECK(compile(
        "/dts-v1/; / { compatible = \"longhouse,cell\"; model = \"v\"; cpus = <1>;"
        "memory@0 { reg = <0 0 0 0x2000000>; };"
        "pci@40000000 { reg = <0 0x40000000>; vector = <48>; };"
        "virtio-block@2 { reg = <2>; drive = \"/d\"; read-only; };"
        "virtio-net@7 { reg = <7>; netdev = \"tap,ifname=t\"; mac = \"52:54:00:00:00:01\"; };"
        "};",
        &e));
    CHECK_EQ(d.head.n_devices, 3);
    CHECK_EQ(d.backend[2].kind, CELL_DEVICE_VIRTIO_BLOCK);
    CHECK_STR(d.backend[2].text, "/d");
    CHECK(d.backend[2].is_readonly);
    CHECK_STR(d.backend[7].mac, "52:54:00:00:00:01");
    CHECK_EQ(d.backend[1].kind, 0);
    size_t size;
    void *f = cell_fdt_build(&d.head, "", &size);
    CHECK(fdt_path_offset(f, "/pci@40000000") > 0);
    free(f);
}

// The address of the card in this slot of a cell of this name, which describes none.
static const char *mac_of(const char *name, unsigned slot)
{
    struct err e;
    char text[400];
    snprintf(text, sizeof(text),
             "/dts-v1/; / { compatible = \"longhouse,cell\"; model = \"%s\"; cpus = <1>;"
             "memory@0 { reg = <0 0 0 0x2000000>; };"
             "pci@40000000 { reg = <0 0x40000000>; vector = <48>; };"
             "virtio-net@%u { reg = <%u>; netdev = \"user\"; }; };",
             name, slot, slot);
    CHECK(compile(text, &e));
    return d.backend[slot].mac;
}

TEST(each_card_has_an_address_of_its_own)
{
    CHECK_STR(mac_of("debian", 2), "52:4c:b0:cd:4c:02");
    CHECK_STR(mac_of("debian", 3), "52:4c:b0:cd:4c:03");
    CHECK_STR(mac_of("debian2", 2), "52:4c:cc:03:7b:02");
}

TEST(a_description_becomes_a_block)
{
    struct err e;
    CHECK(compile(good, &e));
    CHECK_STR(d.head.name, "one");
    CHECK_EQ(d.head.n_cpus, 2);
    CHECK_EQ(d.head.n_memory, 2);
    CHECK_EQ(d.head.n_devices, 3);
    CHECK_EQ(d.head.entry, 0x200000);
    CHECK_EQ(d.head.flags, CELL_FLAG_DEBUG_CALLS);
    CHECK_STR(d.kernel, "/k");
    CHECK_STR(d.command_line, "quiet");
    const struct cell_blob_memory *m = (const void *)((const u8 *)(&d.head + 1) + 16);
    CHECK_EQ(m[1].rights, CELL_READ | CELL_WRITE);
}

TEST(a_block_is_taken_as_it_is)
{
    struct err e;
    u8 block[CELL_BLOB_MAX_SIZE];
    CHECK(compile(good, &e));
    size_t size = d.head.size;
    memcpy(block, d.bytes, size);
    CHECK(cell_compile(&d, block, size, &e));
    block[40] ^= 1;
    CHECK(!cell_compile(&d, block, size, &e));
    CHECK(strstr(e.text, "checksum"));
}

TEST(what_is_wrong_is_told_with_its_place)
{
    refuse("/dts-v1/;", "", "expected /dts-v1/;");
    refuse("model = \"one\"", "model = one", "line 4: expected a value");
    refuse("cpus = <1 2>", "cpus = <1 2", "line 4: expected a number");
    refuse("cpus = <1 2>", "cpus = <0x1ffffffff>", "at most 32 bits");
    refuse("debug-calls;", "debug-calls", "expected ';'");
    refuse("debug-calls;", "debug_calls;", "property 'debug_calls' is not known");
    refuse("debug-calls;", "l: x { };", "labels are not known");
    refuse("\"quiet\"", "\"quiet", "texts have neither line ends");
    refuse("};\n};", "};\n", "'{' without '}'");
    refuse("};\n};\n", "};\n};\nmore", "behind the root node");
    refuse("isa@18000000", "disk@18000000", "node 'disk@18000000': is none of");
    refuse("vector = <32>", "vector = <1 2>", "have to be one number");
    refuse("vector = <32>", "vector = <300>", "vector 300 is above 255");
    refuse("rights = \"rw\"", "rights = \"rq\"", "rights are letters");
    refuse("reg = <0 0 0 0x2000000>", "reg = <0 0x2000000>", "reg has to be");
    refuse("cpus = <1 2>", "cpus = <0 2>", "processor 0 stays");
    refuse("longhouse,cell", "longhouse,house", "compatible has to be");
    refuse("model = \"one\"", "model = \"a/b\"", "name: byte 1");
}

TEST(sources_at_random_do_no_harm)
{
    static const char *const pieces[] = {"{",  "}",  ";",  "<",   ">", "\"", "[",
                                         "]",  "0x", "/*", "//",  "@", "=",  "memory@0",
                                         "\n", ",",  "/",  "reg", "ff"};
    struct err e;
    srand(23);
    for (int i = 0; i < 20000; i++) {
        size_t n = sizeof(good) - 1;
        char *text = malloc(n);
        memcpy(text, good, n);
        for (int k = rand() % 4; k >= 0; k--) {
            const char *p = pieces[(size_t)rand() % ARRAY_LEN(pieces)];
            size_t at = (size_t)rand() % (n - 8);
            memcpy(text + at, p, strlen(p));
        }
        cell_compile(&d, (const u8 *)text, (size_t)rand() % n, &e);
        cell_compile(&d, (const u8 *)text, n, &e);
        free(text);
    }
    CHECK(true);
}

TEST(a_kernel_gets_a_tree_of_it)
{
    struct err e;
    size_t size;
    CHECK(compile(good, &e));
    void *fdt = cell_fdt_build(&d.head, "console=ttyS0", &size);
    CHECK_EQ(fdt_check_full(fdt, size), 0);
    CHECK(fdt_path_offset(fdt, "/serial@1fe001e0") > 0);
    CHECK(fdt_path_offset(fdt, "/cpus/cpu@1") > 0);
    CHECK(fdt_path_offset(fdt, "/cpus/cpu@2") < 0);
    const char *arguments = fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "bootargs", NULL);
    CHECK_STR(arguments, "console=ttyS0");
    free(fdt);
}
