// SPDX-License-Identifier: Apache-2.0
// One function per structure; numbers in comments are offsets in the specification's tables
// (DSP0134 3.0, chapter 7). Strings follow their structure and are counted from 1.
#include "mach/smbios.h"

#include "base/bits.h"
#include "base/bug.h"

#include <string.h>

#define MAX_STRINGS 8

// Handles: the type's number in the high byte, so that they cannot collide.
#define HANDLE(type, index) ((type) << 8 | (index))

enum type {
    TYPE_BIOS = 0,
    TYPE_SYSTEM = 1,
    TYPE_BASEBOARD = 2,
    TYPE_CHASSIS = 3,
    TYPE_PROCESSOR = 4,
    TYPE_MEMORY_ARRAY = 16,
    TYPE_MEMORY_DEVICE = 17,
    TYPE_MAPPED_ADDRESS = 19,
    TYPE_END = 127,
};

struct writer {
    struct bytes *out;
    size_t start;
    const char *strings[MAX_STRINGS];
    unsigned n_strings;
};

static void begin(struct writer *w, enum type type, unsigned index)
{
    w->start = w->out->size;
    w->n_strings = 0;
    bytes_put(w->out, type, 1);
    bytes_put(w->out, 0, 1); // length
    bytes_put(w->out, HANDLE(type, index), 2);
}

static void put(struct writer *w, u64 value, unsigned n_bytes)
{
    bytes_put(w->out, value, n_bytes);
}

static void put_string(struct writer *w, const char *text)
{
    BUG_ON(w->n_strings == MAX_STRINGS);
    w->strings[w->n_strings++] = text;
    put(w, w->n_strings, 1);
}

static void end(struct writer *w, size_t length)
{
    BUG_ON(w->out->size - w->start != length);
    w->out->data[w->start + 1] = (u8)length;
    for (unsigned i = 0; i < w->n_strings; i++)
        bytes_add(w->out, w->strings[i], strlen(w->strings[i]) + 1);
    bytes_zero(w->out, w->n_strings ? 1 : 2);
}

static void put_bios(struct writer *w, const struct smbios_board *board)
{
    enum { NO_CHARACTERISTICS = 1 << 3, IS_VIRTUAL = 1 << 4, BOOTS_UEFI = 1 << 3 };

    begin(w, TYPE_BIOS, 0);
    put_string(w, "Longhouse");    // 04 vendor
    put_string(w, board->version); // 05 version
    put(w, 0, 2);                  // 06 segment
    put_string(w, "01/01/2026");   // 08 release date
    put(w, 0, 1);                  // 09 size
    put(w, NO_CHARACTERISTICS, 8); // 0a
    put(w, 0, 1);                  // 12
    put(w, IS_VIRTUAL | BOOTS_UEFI, 1);
    put(w, 0xffffffff, 4); // 14 releases: none
    end(w, 0x18);
}

static void put_system(struct writer *w, const struct smbios_board *board)
{
    enum { WAKE_POWER_SWITCH = 6 };

    begin(w, TYPE_SYSTEM, 0);
    put_string(w, "Longhouse");    // 04 manufacturer
    put_string(w, board->name);    // 05 product
    put_string(w, board->version); // 06
    put(w, 0, 1);                  // 07 serial number: none
    put(w, 0, 8), put(w, 0, 8);    // 08 UUID: none
    put(w, WAKE_POWER_SWITCH, 1);  // 18
    put(w, 0, 1);                  // 19 SKU
    put(w, 0, 1);                  // 1a family
    end(w, 0x1b);
}

static void put_baseboard(struct writer *w, const struct smbios_board *board)
{
    enum { IS_HOSTING = 1, IS_MOTHERBOARD = 10 };

    begin(w, TYPE_BASEBOARD, 0);
    put_string(w, "Longhouse");         // 04 manufacturer
    put_string(w, board->name);         // 05 product
    put_string(w, board->version);      // 06
    put(w, 0, 2);                       // 07 serial number, asset tag
    put(w, IS_HOSTING, 1);              // 09
    put(w, 0, 1);                       // 0a location
    put(w, HANDLE(TYPE_CHASSIS, 0), 2); // 0b
    put(w, IS_MOTHERBOARD, 1);          // 0d
    put(w, 0, 1);                       // 0e
    end(w, 0x0f);
}

static void put_chassis(struct writer *w, const struct smbios_board *board)
{
    enum { CHASSIS_OTHER = 1, STATE_SAFE = 3, SECURITY_NONE = 3 };

    begin(w, TYPE_CHASSIS, 0);
    put_string(w, "Longhouse");    // 04 manufacturer
    put(w, CHASSIS_OTHER, 1);      // 05
    put_string(w, board->version); // 06
    put(w, 0, 2);                  // 07 serial number, asset tag
    put(w, STATE_SAFE, 1);         // 09 boot-up, power supply, thermal
    put(w, STATE_SAFE, 1);
    put(w, STATE_SAFE, 1);
    put(w, SECURITY_NONE, 1); // 0c
    put(w, 0, 4);             // 0d OEM
    put(w, 0, 1);             // 11 height
    put(w, 0, 1);             // 12 power cords
    put(w, 0, 1);             // 13 contained elements and their size
    put(w, 0, 1);
    put(w, 0, 1); // 15 SKU
    end(w, 0x16);
}

// One socket. Linux takes the processor's speed and the number of threads from here.
static void put_processor(struct writer *w, const struct smbios_board *board)
{
    enum {
        CENTRAL = 3,
        FAMILY_SEE_2 = 0xfe,
        UPGRADE_NONE = 6,
        ENABLED = 0x41,
        FAMILY_LOONGARCH = 0x258
    };
    enum { SPEED_MHZ = 2000, IS_64_BIT = 4, IS_MULTI_CORE = 8 };

    unsigned n = board->n_cpus;
    begin(w, TYPE_PROCESSOR, 0);
    put_string(w, "CPU 0");           // 04 socket
    put(w, CENTRAL, 1);               // 05
    put(w, FAMILY_SEE_2, 1);          // 06
    put_string(w, "Loongson");        // 07 manufacturer
    put(w, 0, 8);                     // 08 id
    put_string(w, "Loongson-3A5000"); // 10 version
    put(w, 0, 1);                     // 11 voltage
    put(w, 0, 2);                     // 12 external clock
    put(w, SPEED_MHZ, 2);             // 14 maximum, 16 current
    put(w, SPEED_MHZ, 2);
    put(w, ENABLED, 1);      // 18
    put(w, UPGRADE_NONE, 1); // 19
    put(w, 0xffff, 2);       // 1a caches: not described
    put(w, 0xffff, 2);
    put(w, 0xffff, 2);
    put(w, 0, 3);                                       // 20 serial number, asset tag, part number
    put(w, n, 1), put(w, n, 1), put(w, n, 1);           // 23 cores, enabled cores, threads
    put(w, IS_64_BIT | (n > 1 ? IS_MULTI_CORE : 0), 2); // 26
    put(w, FAMILY_LOONGARCH, 2);                        // 28
    put(w, n, 2), put(w, n, 2), put(w, n, 2);           // 2a the same again
    end(w, 0x30);
}

static u64 total_memory(const struct smbios_board *board)
{
    u64 total = 0;
    for (unsigned i = 0; i < board->n_memory; i++)
        total += board->memory[i].size;
    return total;
}

static void put_memory_array(struct writer *w, const struct smbios_board *board)
{
    enum {
        LOCATION_OTHER = 1,
        USE_SYSTEM = 3,
        CORRECTION_MULTI_BIT = 6,
        SEE_EXTENDED = 0x80000000
    };

    begin(w, TYPE_MEMORY_ARRAY, 0);
    put(w, LOCATION_OTHER, 1);       // 04
    put(w, USE_SYSTEM, 1);           // 05
    put(w, CORRECTION_MULTI_BIT, 1); // 06
    put(w, SEE_EXTENDED, 4);         // 07 capacity
    put(w, 0xfffe, 2);               // 0b errors: not provided
    put(w, 1, 2);                    // 0d devices
    put(w, total_memory(board), 8);  // 0f extended capacity, bytes
    end(w, 0x17);
}

static void put_memory_device(struct writer *w, const struct smbios_board *board)
{
    enum { FORM_DIMM = 9, TYPE_RAM = 7, DETAIL_OTHER = 2, SEE_EXTENDED = 0x7fff };

    u64 mib = total_memory(board) >> 20;
    begin(w, TYPE_MEMORY_DEVICE, 0);
    put(w, HANDLE(TYPE_MEMORY_ARRAY, 0), 2);            // 04
    put(w, 0xfffe, 2);                                  // 06 errors: not provided
    put(w, 0xffff, 2), put(w, 0xffff, 2);               // 08 widths: unknown
    put(w, mib < SEE_EXTENDED ? mib : SEE_EXTENDED, 2); // 0c size
    put(w, FORM_DIMM, 1);                               // 0e
    put(w, 0, 1);                                       // 0f set
    put_string(w, "DIMM 0");                            // 10 locator
    put(w, 0, 1);                                       // 11 bank
    put(w, TYPE_RAM, 1);                                // 12
    put(w, DETAIL_OTHER, 2);                            // 13
    put(w, 0, 2);                                       // 15 speed: unknown
    put_string(w, "Longhouse");                         // 17 manufacturer
    put(w, 0, 3);                                       // 18 serial number, asset tag, part number
    put(w, 0, 1);                                       // 1b rank: unknown
    put(w, mib < SEE_EXTENDED ? 0 : mib, 4);            // 1c extended size
    put(w, 0, 2);                                       // 20 configured speed
    put(w, 0, 2), put(w, 0, 2), put(w, 0, 2);           // 22 voltages
    end(w, 0x28);
}

static void put_mapped_address(struct writer *w, const struct smbios_board *board, unsigned index)
{
    u64 base = board->memory[index].base, last = base + board->memory[index].size - 1;
    bool fits = last >> 10 < 0xffffffff; // in KiB
    begin(w, TYPE_MAPPED_ADDRESS, index);
    put(w, fits ? base >> 10 : 0xffffffff, 4); // 04
    put(w, fits ? last >> 10 : 0xffffffff, 4); // 08
    put(w, HANDLE(TYPE_MEMORY_ARRAY, 0), 2);   // 0c
    put(w, 1, 1);                              // 0e devices in a row
    put(w, fits ? 0 : base, 8);                // 0f the same in bytes
    put(w, fits ? 0 : last, 8);                // 17
    end(w, 0x1f);
}

void smbios_build(struct bytes *tables, const struct smbios_board *board)
{
    struct writer w = {.out = tables};
    put_bios(&w, board);
    put_system(&w, board);
    put_baseboard(&w, board);
    put_chassis(&w, board);
    put_processor(&w, board);
    put_memory_array(&w, board);
    put_memory_device(&w, board);
    for (unsigned i = 0; i < board->n_memory; i++)
        put_mapped_address(&w, board, i);
    begin(&w, TYPE_END, 0);
    end(&w, 4);
}

void smbios_anchor(u8 anchor[SMBIOS_ANCHOR_SIZE], u64 address, size_t tables_size)
{
    memset(anchor, 0, SMBIOS_ANCHOR_SIZE);
    memcpy(anchor, "_SM3_", 5);
    anchor[6] = SMBIOS_ANCHOR_SIZE;
    anchor[7] = 3;  // version 3.0
    anchor[10] = 1; // of the entry point
    store_le(anchor + 12, tables_size, 4);
    store_le(anchor + 16, address, 8);
    u8 sum = 0;
    for (unsigned i = 0; i < SMBIOS_ANCHOR_SIZE; i++)
        sum += anchor[i];
    anchor[5] = (u8)-sum;
}
