// SPDX-License-Identifier: Apache-2.0
// virtio-serial-pci, a console with one port (VIRTIO 1.2, section 5.3), without multiport. What the
// port is connected to is its own chardev=, or that of a virtconsole device that comes after it.
//
// Output that the console's buffer does not take waits in the queue, and so does input for which
// the driver has no buffer: neither is lost.
#include "dev/pci_bus.h"
#include "dev/virtio/virtio_pci.h"
#include "base/bits.h"
#include "host/backends.h"
#include "host/console/console.h"

enum { RX = 0, TX = 1, QUEUE_SIZE = 128 };
enum { F_EMERG_WRITE = 2 };
enum { C_MAX_PORTS = 4, C_EMERG_WRITE = 8, C_SIZE = 12 };

// What is copied at a time; more of one buffer follows later, so that a buffer of gigabytes for a
// console that takes everything does not hold the machine up.
enum { CHUNK = 4096, CHUNKS_PER_TURN = 16 };

struct virtio_console {
    struct virtio_pci t;
    char *chardev;

    struct console *console; // borrowed; NULL: output is lost, and there is no input
    u64 sent;                // bytes of the next buffer of TX that are gone already
};

static struct virtio_console *console_of(struct virtio *v)
{
    return container_of(v, struct virtio_console, t.v);
}

static bool send(struct virtio *v, unsigned queue, const struct virtq_buffer *b)
{
    struct virtio_console *c = console_of(v);
    for (int i = 0; c->console && c->sent < b->out_size; i++) {
        u8 bytes[CHUNK];
        if (i == CHUNKS_PER_TURN) {
            virtio_kick_later(v, queue);
            return false;
        }
        u64 n = iov_read(b->out, b->n_out, c->sent, bytes, CHUNK);
        u64 taken = console_write(c->console, bytes, n);
        c->sent += taken;
        if (taken < n)
            return false; // until `writable`
    }
    c->sent = 0;
    virtio_push(v, queue, b->head, 0);
    return true;
}

static bool receive(struct virtio *v, unsigned queue, const struct virtq_buffer *b)
{
    struct virtio_console *c = console_of(v);
    u8 bytes[CHUNK];
    if (!c->console || !console_has_input(c->console))
        return false;
    u64 n = console_read(c->console, bytes, b->in_size < CHUNK ? b->in_size : CHUNK);
    iov_write(b->in, b->n_in, 0, bytes, n);
    virtio_push(v, queue, b->head, (u32)n);
    return true;
}

static void kick(struct virtio *v, unsigned queue)
{
    virtio_serve(v, queue, queue == TX ? send : receive);
}

static void readable(void *opaque)
{
    virtio_kick(opaque, RX);
}

static void writable(void *opaque)
{
    virtio_kick(opaque, TX);
}

static void reset(struct virtio *v)
{
    console_of(v)->sent = 0;
}

// One character, for a driver that cannot use queues (yet).
static void config_write(struct virtio *v, unsigned offset, u32 value, unsigned size)
{
    u8 byte = (u8)value;
    if (offset == C_EMERG_WRITE && console_of(v)->console)
        console_write(console_of(v)->console, &byte, 1);
}

static const struct virtio_ops console_ops = {.name = "virtio-console",
                                              .id = VIRTIO_ID_CONSOLE,
                                              .kick = kick,
                                              .reset = reset,
                                              .config_write = config_write};

static bool connect(struct virtio_console *c, const char *chardev, struct err *e)
{
    struct device *d = &c->t.pci.d;
    c->console = backends_take_chardev(d->env->backends, chardev, d->type->name, e);
    if (!c->console)
        return false;
    struct console_front front = {.readable = readable, .writable = writable, .opaque = &c->t.v};
    console_attach(c->console, &front);
    return true;
}

static bool realize(struct device *d, struct err *e)
{
    struct virtio_console *c = (struct virtio_console *)d;
    struct virtio *v = &c->t.v;
    virtio_init(v, &console_ops, d->env, BIT(F_EMERG_WRITE));
    virtio_add_queue(v, QUEUE_SIZE);
    virtio_add_queue(v, QUEUE_SIZE);
    store_le(v->config + C_MAX_PORTS, 1, 4);
    v->config_size = C_SIZE;
    return virtio_pci_realize(&c->t, 0x078000, e) && (!c->chardev || connect(c, c->chardev, e));
}

static void reset_device(struct device *d)
{
    virtio_pci_reset((struct virtio_pci *)d);
}

static void free_device(struct device *d)
{
    struct virtio_console *c = (struct virtio_console *)d;
    if (c->console)
        console_attach(c->console, NULL);
    virtio_pci_free(&c->t);
}

static const struct device_prop props[] = {
    VIRTIO_PCI_PROPS,
    {"chardev", PROP_STRING, offsetof(struct virtio_console, chardev), "id of the console", NULL},
    {NULL},
};

const struct device_type virtio_console_pci_type = {
    .name = "virtio-serial-pci",
    .doc = "A console with one port, hvc0 in Linux.",
    .size = sizeof(struct virtio_console),
    .props = props,
    .realize = realize,
    .reset = reset_device,
    .free = free_device,
    .is_pluggable = true,
};

struct virtconsole {
    struct device d;
    char *chardev;
};

// The first port that is not connected yet.
static bool port_realize(struct device *d, struct err *e)
{
    const struct pci_bus *bus = d->env->pci;
    for (unsigned i = 0; bus && i < PCI_N_DEVFN; i++) {
        struct pci_device *p = bus->functions[i];
        if (p && p->d.type == &virtio_console_pci_type && !((struct virtio_console *)p)->console)
            return connect((struct virtio_console *)p, ((struct virtconsole *)d)->chardev, e);
    }
    return err_set(e, "needs a virtio-serial-pci before it whose port is not connected");
}

static const struct device_prop port_props[] = {
    {"chardev", PROP_STRING, offsetof(struct virtconsole, chardev), "id of the console", NULL},
    {NULL},
};

const struct device_type virtconsole_type = {
    .name = "virtconsole",
    .doc = "What a virtio-serial-pci is connected to.",
    .size = sizeof(struct virtconsole),
    .props = port_props,
    .realize = port_realize,
    .is_pluggable = true,
};
