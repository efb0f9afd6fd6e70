// SPDX-License-Identifier: Apache-2.0
// What a network card is plugged into: a place that takes Ethernet frames and gives some.
//
//     card --netdev_send--> back end          -EAGAIN: full; client.writable follows
//     card <--client.receive-- back end       false: no room; the card calls netdev_resume later
//
// Frames have no checksum at the end and at most NETDEV_MAX_FRAME bytes. All of it happens with the
// device lock held, callbacks on a thread of the back end's.
#pragma once

#include "base/err.h"
#include "base/types.h"

#include <pthread.h>
#include <sys/uio.h>

enum { NETDEV_MAX_FRAME = 65536 + 14, NETDEV_MIN_FRAME = 14 };

struct netdev;

struct netdev_client {
    // A frame arrived. False if there is no room for it now: it is kept, and offered again after
    // netdev_resume.
    bool (*receive)(void *opaque, const u8 *frame, size_t size);
    // netdev_send takes frames again.
    void (*writable)(void *opaque);
    void *opaque;
};

struct netdev_ops {
    int (*send)(struct netdev *n, const struct iovec *iov, int n_iov);
    void (*resume)(struct netdev *n);
    void (*start)(struct netdev *n); // the device lock is known, and the client there
    void (*free)(struct netdev *n);
};

struct netdev {
    const struct netdev_ops *ops;
    pthread_mutex_t *device_lock; // borrowed; NULL until attached
    struct netdev_client client;  // zeroed while there is none
    // Frames it gives were never on a wire: their checksums need no check.
    bool is_trusted;
};

// Makes the back end that `text` says, or NULL with a message. *id is the user's name for it, to be
// freed by the caller; NULL if not given.
//
//     user,id=ID[,hostfwd=...]...   its own small network behind the host, 10.0.2.0/24
//     tap,id=ID,ifname=NAME         an interface of the host
struct netdev *netdev_open(const char *text, char **id, struct err *e);
const char *netdev_grammar(size_t index); // one line each, NULL after the last

// Accepts NULL. The device lock is not held.
void netdev_free(struct netdev *n);

// The card's: before the machine runs, and when it goes. The device lock is not held.
void netdev_attach(struct netdev *n, const struct netdev_client *c, pthread_mutex_t *device_lock);
void netdev_detach(struct netdev *n); // afterwards `client` is not called

// 0, or -EAGAIN if the frame was not taken. Frames of impossible sizes, and those that the other
// side refuses, are dropped and count as sent.
int netdev_send(struct netdev *n, const struct iovec *iov, int n_iov);
// `receive` has room again. May be called at any time.
void netdev_resume(struct netdev *n);
