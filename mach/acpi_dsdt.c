// SPDX-License-Identifier: Apache-2.0
// The devices of the board `virt` that cannot be found by probing: serial ports, the PCI host,
// power events and the clock. Comments show the ASL of what follows.
#include "mach/acpi_dsdt.h"

#include "mach/aml.h"
#include "mach/la_virt_map.h"

#include <stdio.h>

// Device (COMn) { _HID PNP0501, _UID n, _CRS registers and interrupt,
//   _DSD { ToUUID ("daffd814-..."), { { "clock-frequency", 100000000 } } } }
static void put_serial_port(struct aml *a, unsigned n)
{
    char name[] = "COM0";
    name[3] = (char)('0' + n);
    aml_device(a, name);
    aml_name_eisa(a, "_HID", "PNP0501");
    aml_name_int(a, "_UID", n);
    aml_name(a, "_CRS");
    aml_resources(a);
    aml_memory(a, VIRT_UART_BASE + n * VIRT_UART_STRIDE, VIRT_UART_SIZE);
    aml_interrupt(a, VIRT_GSI_BASE + VIRT_PIN_UART + n);
    aml_end(a);

    aml_name(a, "_DSD");
    aml_package(a, 2);
    aml_uuid(a, "daffd814-6eba-4d8c-8a91-bc9bbf4aa301"); // device properties
    aml_package(a, 1);
    aml_package(a, 2);
    aml_string(a, "clock-frequency");
    aml_int(a, VIRT_UART_CLOCK);
    aml_end(a);
    aml_end(a);
    aml_end(a);
    aml_end(a);
}

// Name (_PRT, Package { { slot << 16 | 0xffff, pin, 0, GSI }, ... }): no link devices, INTx is
// wired.
static void put_pci_routing(struct aml *a)
{
    aml_name(a, "_PRT");
    aml_package(a, VIRT_PCI_SLOTS * 4);
    for (unsigned slot = 0; slot < VIRT_PCI_SLOTS; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            aml_package(a, 4);
            aml_int(a, slot << 16 | 0xffff);
            aml_int(a, pin);
            aml_int(a, 0);
            aml_int(a, VIRT_GSI_BASE + VIRT_PIN_PCI + (slot + pin) % 4);
            aml_end(a);
        }
    }
    aml_end(a);
}

// Method (_OSC, 4): grants native hot-plug, power events, error reporting and the capability
// structure (PCI Firmware 3.3, 4.5.1), and says so in the third word.
static void put_pci_osc(struct aml *a)
{
    enum { GRANTED = 0x1d, UNKNOWN_REVISION = 8, UNKNOWN_UUID = 4 };

    aml_method(a, "_OSC", 4);
    // CreateDWordField (Arg3, 0, CDW1)
    aml_op(a, AML_CREATE_DWORD_FIELD), aml_arg(a, 3), aml_int(a, 0), aml_path(a, "CDW1");
    // If (Arg0 == ToUUID ("33db4d5b-..."))
    aml_if(a);
    aml_op(a, AML_EQUAL), aml_arg(a, 0), aml_uuid(a, "33db4d5b-1ff7-401c-9657-7441c03dd766");
    // CreateDWordField (Arg3, 8, CDW3); CDW3 &= GRANTED
    aml_op(a, AML_CREATE_DWORD_FIELD), aml_arg(a, 3), aml_int(a, 8), aml_path(a, "CDW3");
    aml_op(a, AML_AND), aml_path(a, "CDW3"), aml_int(a, GRANTED), aml_path(a, "CDW3");
    // If (Arg1 != 1) { CDW1 |= UNKNOWN_REVISION }
    aml_if(a);
    aml_op(a, AML_NOT), aml_op(a, AML_EQUAL), aml_arg(a, 1), aml_int(a, 1);
    aml_op(a, AML_OR), aml_path(a, "CDW1"), aml_int(a, UNKNOWN_REVISION), aml_path(a, "CDW1");
    aml_end(a);
    aml_end(a);
    // Else { CDW1 |= UNKNOWN_UUID }
    aml_else(a);
    aml_op(a, AML_OR), aml_path(a, "CDW1"), aml_int(a, UNKNOWN_UUID), aml_path(a, "CDW1");
    aml_end(a);
    aml_op(a, AML_RETURN), aml_arg(a, 3);
    aml_end(a);
}

// Device (RES0) { _HID PNP0C02, _CRS configuration space }: nobody else may use it.
static void put_pci_ecam(struct aml *a)
{
    aml_device(a, "RES0");
    aml_name_eisa(a, "_HID", "PNP0C02");
    aml_name(a, "_CRS");
    aml_resources(a);
    aml_memory(a, VIRT_ECAM_BASE, VIRT_ECAM_SIZE);
    aml_end(a);
    aml_end(a);
}

static void put_pci_host(struct aml *a)
{
    aml_device(a, "PCI0");
    aml_name_eisa(a, "_HID", "PNP0A08");
    aml_name_eisa(a, "_CID", "PNP0A03");
    aml_name_int(a, "_SEG", 0);
    aml_name_int(a, "_BBN", 0);
    aml_name_int(a, "_UID", 0);
    aml_name_int(a, "_CCA", 1);
    put_pci_routing(a);
    aml_name(a, "_CRS");
    aml_resources(a);
    aml_bus_window(a, 0, VIRT_PCI_BUSES - 1);
    aml_io_window(a, VIRT_PIO_FIRST, VIRT_PIO_LAST, VIRT_PIO_BASE);
    aml_memory_window(a, VIRT_PMEM_BASE, VIRT_PMEM_SIZE);
    aml_end(a);
    put_pci_osc(a);
    put_pci_ecam(a);
    aml_end(a);
}

// Device (PWRB) { _HID PNP0C0C } and Device (GED) { _HID ACPI0013, _CRS interrupt,
//   _EVT: Local0 = ESEL; If (Local0 & 2) { Notify (PWRB, 0x80) } }
static void put_events(struct aml *a)
{
    enum { EVENT_POWER_BUTTON = 2, BUTTON_PRESSED = 0x80 };

    aml_device(a, "PWRB");
    aml_name_eisa(a, "_HID", "PNP0C0C");
    aml_name_int(a, "_UID", 0);
    aml_end(a);

    aml_device(a, "GED");
    aml_name_string(a, "_HID", "ACPI0013");
    aml_name_int(a, "_UID", 0);
    aml_name(a, "_CRS");
    aml_resources(a);
    aml_interrupt(a, VIRT_GSI_BASE + VIRT_PIN_GED);
    aml_end(a);
    aml_memory_region(a, "EREG", VIRT_GED_BASE, 4);
    aml_field(a, "EREG");
    u64 position = 0;
    aml_field_at(a, &position, 0, "ESEL");
    aml_end(a);

    aml_method(a, "_EVT", 1);
    // Reading the register clears it.
    aml_op(a, AML_STORE), aml_path(a, "ESEL"), aml_local(a, 0);
    aml_if(a);
    aml_op(a, AML_AND), aml_local(a, 0), aml_int(a, EVENT_POWER_BUTTON), aml_op(a, AML_NOWHERE);
    aml_op(a, AML_NOTIFY), aml_path(a, "PWRB"), aml_int(a, BUTTON_PRESSED);
    aml_end(a);
    aml_end(a);
    aml_end(a);
}

// The buffer that _GRT returns and _SRT takes (ACPI 6.5, 9.18.2).
enum { TIME_SIZE = 16, TIME_UNSPECIFIED_ZONE = 2047 };

struct time_part {
    const char *name;
    u8 index;        // in the buffer
    u8 shift, width; // in the bridge's TOY word
};

static const struct time_part time_parts[] = {
    {"MNTH", 2, 26, 6}, {"DAYM", 3, 21, 5}, {"HOUR", 4, 16, 5},
    {"MINU", 5, 10, 6}, {"SECO", 6, 4, 6},
};

#define N_TIME_PARTS (sizeof(time_parts) / sizeof(time_parts[0]))

// Method (_GRT): the registers' fields, each shifted and masked into its place of a new buffer.
static void put_get_time(struct aml *a)
{
    aml_method(a, "_GRT", 0);
    // Name (BUFF, Buffer (16) {}): year, then bytes; valid 1, millisecond 1, zone not known.
    aml_name(a, "BUFF");
    aml_buffer(a);
    for (unsigned i = 0; i < TIME_SIZE; i++)
        aml_byte(a, i == 7 || i == 8     ? 1
                    : i == 10 || i == 11 ? (u8)(TIME_UNSPECIFIED_ZONE >> (8 * (i - 10)))
                                         : 0);
    aml_end(a);
    aml_op(a, AML_CREATE_WORD_FIELD), aml_path(a, "BUFF"), aml_int(a, 0), aml_path(a, "YEAR");
    aml_op(a, AML_STORE), aml_path(a, "TRD0"), aml_local(a, 0);
    // YEAR = TRD1 + 1900
    aml_op(a, AML_ADD), aml_path(a, "TRD1"), aml_int(a, 1900), aml_path(a, "YEAR");
    for (unsigned i = 0; i < N_TIME_PARTS; i++) {
        const struct time_part *p = &time_parts[i];
        aml_op(a, AML_CREATE_BYTE_FIELD), aml_path(a, "BUFF"), aml_int(a, p->index),
            aml_path(a, p->name);
        // name = (Local0 >> shift) & mask
        aml_op(a, AML_SHIFT_RIGHT), aml_local(a, 0), aml_int(a, p->shift), aml_local(a, 1);
        aml_op(a, AML_AND), aml_local(a, 1), aml_int(a, (1u << p->width) - 1), aml_path(a, p->name);
    }
    aml_op(a, AML_RETURN), aml_path(a, "BUFF");
    aml_end(a);
}

// Method (_SRT, 1): the other way.
static void put_set_time(struct aml *a)
{
    aml_method(a, "_SRT", 1);
    aml_op(a, AML_CREATE_WORD_FIELD), aml_arg(a, 0), aml_int(a, 0), aml_path(a, "YEAR");
    aml_op(a, AML_STORE), aml_int(a, 0), aml_local(a, 0);
    for (unsigned i = 0; i < N_TIME_PARTS; i++) {
        const struct time_part *p = &time_parts[i];
        aml_op(a, AML_CREATE_BYTE_FIELD), aml_arg(a, 0), aml_int(a, p->index), aml_path(a, p->name);
        // Local0 |= name << shift
        aml_op(a, AML_SHIFT_LEFT), aml_path(a, p->name), aml_int(a, p->shift), aml_local(a, 1);
        aml_op(a, AML_OR), aml_local(a, 0), aml_local(a, 1), aml_local(a, 0);
    }
    // TWR0 = Local0; TWR1 = YEAR - 1900; Return (0)
    aml_op(a, AML_STORE), aml_local(a, 0), aml_path(a, "TWR0");
    aml_op(a, AML_SUBTRACT), aml_path(a, "YEAR"), aml_int(a, 1900), aml_path(a, "TWR1");
    aml_op(a, AML_RETURN), aml_int(a, 0);
    aml_end(a);
}

// Device (TIME) { _HID ACPI000E }: the bridge's time-of-year counter, a driver in 30 lines of ASL.
static void put_clock(struct aml *a)
{
    enum { HAS_REAL_TIME = 4, RTCCTRL_ENABLE = 0x900 };

    aml_device(a, "TIME");
    aml_name_string(a, "_HID", "ACPI000E");
    aml_name_int(a, "_UID", 0);
    aml_memory_region(a, "TOYR", VIRT_RTC_BASE, VIRT_RTC_SIZE);
    aml_field(a, "TOYR");
    u64 position = 0;
    aml_field_at(a, &position, 0x24, "TWR0");
    aml_field_at(a, &position, 0x28, "TWR1");
    aml_field_at(a, &position, 0x2c, "TRD0");
    aml_field_at(a, &position, 0x30, "TRD1");
    aml_field_at(a, &position, 0x40, "CTRL");
    aml_end(a);

    // _INI: CTRL |= RTCCTRL_ENABLE. The counter reads 0 until its oscillator and it are enabled.
    aml_method(a, "_INI", 0);
    aml_op(a, AML_OR), aml_path(a, "CTRL"), aml_int(a, RTCCTRL_ENABLE), aml_path(a, "CTRL");
    aml_end(a);
    aml_method(a, "_GCP", 0);
    aml_op(a, AML_RETURN), aml_int(a, HAS_REAL_TIME);
    aml_end(a);
    put_get_time(a);
    put_set_time(a);
    aml_end(a);
}

void acpi_dsdt_put(struct bytes *out, u32 serial_ports)
{
    struct aml a;
    aml_init(&a, out);
    aml_scope(&a, "\\_SB");
    for (unsigned i = 0; i < VIRT_N_UARTS; i++)
        if (serial_ports >> i & 1)
            put_serial_port(&a, i);
    put_pci_host(&a);
    put_events(&a);
    put_clock(&a);
    aml_end(&a);
    // Name (\_S5, Package { 5, 0, 0, 0 }): the sleep type that powers off.
    aml_name(&a, "\\_S5");
    aml_package(&a, 4);
    aml_int(&a, 5);
    for (unsigned i = 0; i < 3; i++)
        aml_int(&a, 0);
    aml_end(&a);
}
