// SPDX-License-Identifier: Apache-2.0
// A network back end with a thread of its own. Only for the files of this folder.
//
// The thread does all that may wait or that takes time, without the device lock; it takes the lock
// to hand frames to the card, as many at a time as there are. Frames of the card's wait in a
// bounded queue for the thread.
#pragma once

#include "host/net/netdev.h"

struct frame {
    struct frame *next;
    size_t size;
    u8 bytes[];
};

struct frames {
    struct frame *first, **last;
    unsigned n;
};

enum {
    PORT_MAX_OUT = 256, // frames that wait for the thread; then the card is full
    PORT_MAX_IN = 256,  // frames that wait for the card; then the world has to
};

struct port;

struct port_ops {
    // Waits for p->wake_fd to become readable, or for input if `may_input`, and calls port_input.
    void (*wait)(struct port *p, bool may_input);
    void (*output)(struct port *p, const struct frame *f);
    void (*free)(struct port *p); // the thread is gone
};

struct port {
    struct netdev n;
    const struct port_ops *ops;
    int wake_fd;
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t lock; // taken inside of the device lock; protects:
    struct frames out;
    bool is_full;    // the card was refused
    bool is_resumed; // the card has room again
    bool must_stop;

    struct frames in; // the thread's
    bool is_stalled;  // the card had no room
};

// The first part of making one. False with a message; port_free cleans up in any case.
bool port_init(struct port *p, const struct port_ops *ops, struct err *e);
// Ends the thread, calls ops->free, and frees p.
void port_free(struct port *p);

// The thread's: a frame from the world. Dropped if there are far too many.
void port_input(struct port *p, const void *bytes, size_t size);

struct netdev *user_open(char *options, char **id, struct err *e);
struct netdev *tap_open(char *options, char **id, struct err *e);
