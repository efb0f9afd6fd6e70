// SPDX-License-Identifier: Apache-2.0
// The hypervisor as a program in the root cell reaches it: the PCI function, and one request at a
// time (include/longhouse/control.h).
#pragma once

#include "base/err.h"
#include "base/types.h"
#include "include/longhouse/control.h"

struct cell_client {
    volatile u32 *regs;
    volatile struct control_request *request;
    u8 *window;     // CONTROL_WINDOW_SIZE bytes
    u8 *served;     // CONTROL_SERVED_SIZE bytes; NULL until asked for
    char path[128]; // of the function in sysfs
    int lock;       // one program at a time
    struct control_request reply;
};

// False with a message: there is no such function, or it cannot be used.
bool cell_client_open(struct cell_client *c, struct err *e);
void cell_client_close(struct cell_client *c);

// Sends c->reply as it has been filled and waits for the end; the answer is in it afterwards.
// What the hypervisor puts off, until others have let go of a cell, is asked for again.
// False: the hypervisor refused, with its words in `e` and the negated errno in reply.result.
bool cell_client_call(struct cell_client *c, u32 command, struct err *e);

// The memory of cells whose devices are served; NULL with a message.
u8 *cell_client_served(struct cell_client *c, struct err *e);
// Begins a request about nothing, or about a cell.
void cell_client_begin(struct cell_client *c);
void cell_client_begin_cell(struct cell_client *c, u32 cell, u32 generation);

// The cell of this name or number. False: there is none.
bool cell_client_find(struct cell_client *c, const char *name, u32 *cell, struct control_cell *info,
                      struct err *e);
bool cell_client_info(struct cell_client *c, u32 cell, struct control_cell *info, struct err *e);
