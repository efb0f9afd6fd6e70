// SPDX-License-Identifier: Apache-2.0
// An I2C bus: one master's transactions handed to the slave that has the address.
// Device lock held in all calls.
#pragma once

#include "base/types.h"

struct i2c_slave {
    u8 address; // 7 bits
    // A transaction (or the next part of it, after a repeated start) begins; true acknowledges.
    bool (*start)(void *opaque, bool is_read);
    // The master's byte; true acknowledges.
    bool (*write)(void *opaque, u8 value);
    u8 (*read)(void *opaque);
    void (*stop)(void *opaque); // may be NULL
    void *opaque;
    struct i2c_slave *next;
};

struct i2c_bus {
    struct i2c_slave *slaves;  // borrowed
    struct i2c_slave *current; // of the running transaction; NULL if nobody answers
    bool is_busy;              // between start and stop
};

void i2c_bus_attach(struct i2c_bus *b, struct i2c_slave *s);
// Start or repeated start with the address byte, whose bit 0 says read. False: nobody acknowledged.
bool i2c_bus_start(struct i2c_bus *b, u8 address_byte);
bool i2c_bus_write(struct i2c_bus *b, u8 value);
// 0xff if nobody answers.
u8 i2c_bus_read(struct i2c_bus *b);
void i2c_bus_stop(struct i2c_bus *b);
