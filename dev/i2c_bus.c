// SPDX-License-Identifier: Apache-2.0
#include "dev/i2c_bus.h"

void i2c_bus_attach(struct i2c_bus *b, struct i2c_slave *s)
{
    s->next = b->slaves;
    b->slaves = s;
}

bool i2c_bus_start(struct i2c_bus *b, u8 address_byte)
{
    b->is_busy = true;
    b->current = b->slaves;
    while (b->current && b->current->address != address_byte >> 1)
        b->current = b->current->next;
    if (b->current && !b->current->start(b->current->opaque, address_byte & 1))
        b->current = NULL;
    return b->current != NULL;
}

bool i2c_bus_write(struct i2c_bus *b, u8 value)
{
    return b->current && b->current->write(b->current->opaque, value);
}

u8 i2c_bus_read(struct i2c_bus *b)
{
    return b->current ? b->current->read(b->current->opaque) : 0xff;
}

void i2c_bus_stop(struct i2c_bus *b)
{
    if (b->current && b->current->stop)
        b->current->stop(b->current->opaque);
    b->current = NULL;
    b->is_busy = false;
}
