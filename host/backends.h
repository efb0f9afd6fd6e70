// SPDX-License-Identifier: Apache-2.0
// What devices find by name: disks, networks and consoles, as in -device virtio-blk-pci,drive=ID.
//
// Filled before the devices are realized. Disks and networks are owned here and belong to one
// device each; consoles are borrowed.
#pragma once

#include "base/err.h"
#include "base/types.h"

struct block;
struct netdev;
struct console;

enum backend_kind { BACKEND_DRIVE, BACKEND_NETDEV, BACKEND_CHARDEV };

struct backend;

struct backends {
    struct backend *first;
};

// Add; on failure (an id that is missing or taken) the back end is still the caller's.
bool backends_add_drive(struct backends *b, const char *id, struct block *block, struct err *e);
bool backends_add_netdev(struct backends *b, const char *id, struct netdev *n, struct err *e);
bool backends_add_chardev(struct backends *b, const char *id, struct console *c, struct err *e);

// For a device: NULL if there is none of that id, or if another device has taken it. `user` is
// borrowed and names the device in later messages.
struct block *backends_take_drive(struct backends *b, const char *id, const char *user,
                                  struct err *e);
struct netdev *backends_take_netdev(struct backends *b, const char *id, const char *user,
                                    struct err *e);
struct console *backends_take_chardev(struct backends *b, const char *id, const char *user,
                                      struct err *e);

// The back ends one after another, in the order of their making; false after the last.
struct backend_view {
    enum backend_kind kind;
    const char *id, *user; // user: NULL if no device took it
    const void *object;    // struct block, struct netdev or struct console
};
bool backends_at(const struct backends *b, size_t index, struct backend_view *v);

// After the devices are gone.
void backends_free(struct backends *b);
