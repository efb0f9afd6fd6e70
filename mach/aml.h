// SPDX-License-Identifier: Apache-2.0
// Writes ACPI machine language (ACPI 6.5, chapter 20): one call per term, in the order of the
// source.
//
// Calls of the first group open a block; what follows belongs to it until aml_end:
//
//     aml_device(a, "COM0");                       // Device (COM0) {
//     aml_name(a, "_HID"), aml_string(a, "X0001"); //     Name (_HID, "X0001")
//     aml_end(a);                                  // }
//
// Terms with operands are written operator first: aml_op(a, AML_STORE), aml_int(a, 1), aml_local(a,
// 0).
#pragma once

#include "base/types.h"
#include "mach/bytes.h"

#define AML_MAX_DEPTH 16

enum aml_block_kind { AML_TERMS, AML_BUFFER, AML_RESOURCES };

struct aml {
    struct bytes *out; // borrowed
    struct aml_block {
        enum aml_block_kind kind;
        size_t at; // of its first byte after the opcode
    } open[AML_MAX_DEPTH];
    unsigned depth;
};

enum aml_op {
    AML_STORE = 0x70,              // value, target
    AML_ADD = 0x72,                // a, b, target
    AML_SUBTRACT = 0x74,           // a, b, target
    AML_SHIFT_LEFT = 0x79,         // value, count, target
    AML_SHIFT_RIGHT = 0x7a,        // value, count, target
    AML_AND = 0x7b,                // a, b, target
    AML_OR = 0x7d,                 // a, b, target
    AML_NOTIFY = 0x86,             // object, value
    AML_CREATE_DWORD_FIELD = 0x8a, // buffer, byte index, name
    AML_CREATE_WORD_FIELD = 0x8b,
    AML_CREATE_BYTE_FIELD = 0x8c,
    AML_NOT = 0x92,   // value
    AML_EQUAL = 0x93, // a, b
    AML_RETURN = 0xa4,
    AML_NOWHERE = 0x00, // as a target
};

void aml_init(struct aml *a, struct bytes *out);

// Blocks.
void aml_scope(struct aml *a, const char *path);
void aml_device(struct aml *a, const char *name);
void aml_method(struct aml *a, const char *name, unsigned n_args); // serialized
void aml_if(struct aml *a);                                        // the condition comes first
void aml_else(struct aml *a);
void aml_package(struct aml *a, unsigned n_elements);
void aml_buffer(struct aml *a);    // its bytes come by aml_byte
void aml_resources(struct aml *a); // a buffer of the resources below
// A field unit of 32-bit registers of an operation region; its elements come by aml_field_*.
void aml_field(struct aml *a, const char *region);
void aml_end(struct aml *a);

// Terms.
void aml_op(struct aml *a, enum aml_op op);
void aml_int(struct aml *a, u64 value);
void aml_string(struct aml *a, const char *text);
void aml_byte(struct aml *a, u8 value);
void aml_local(struct aml *a, unsigned n);
void aml_arg(struct aml *a, unsigned n);
void aml_path(struct aml *a, const char *path); // "\\_SB.PCI0", "ESEL"
void aml_name(struct aml *a, const char *name); // Name (name, the next term)
void aml_name_int(struct aml *a, const char *name, u64 value);
void aml_name_eisa(struct aml *a, const char *name, const char *id); // "PNP0501"
void aml_name_string(struct aml *a, const char *name, const char *text);
void aml_uuid(struct aml *a, const char *uuid);
void aml_memory_region(struct aml *a, const char *name, u64 base, u64 size);
// `offset` in bytes from the region's start, ascending; the fields are 32 bits wide.
void aml_field_at(struct aml *a, u64 *position, u64 offset, const char *name);

// Resources (ACPI 6.5, 6.4.3).
void aml_memory(struct aml *a, u64 base, u64 size);        // registers of a device
void aml_interrupt(struct aml *a, u32 gsi);                // level, active high
void aml_memory_window(struct aml *a, u64 base, u64 size); // passed on to a bus
void aml_io_window(struct aml *a, u64 first, u64 last, u64 cpu_base);
void aml_bus_window(struct aml *a, u16 first, u16 last);
