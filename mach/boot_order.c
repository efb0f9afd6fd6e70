// SPDX-License-Identifier: Apache-2.0
#include "mach/boot_order.h"

#include "dev/pci.h"

#include <stdio.h>
#include <string.h>

// Paths below a PCI function.
struct boot_kind {
    const char *type;   // of the device
    const char *node;   // its node, "@slot[,function]" follows
    const char *behind; // what is behind it
};

static const struct boot_kind boot_kinds[] = {
    {"virtio-blk-pci", "scsi", "/disk@0,0"},
    {"virtio-net-pci", "ethernet", "/ethernet-phy@0"},
};

static const struct boot_kind *find_kind(const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(boot_kinds); i++)
        if (!strcmp(boot_kinds[i].type, type))
            return &boot_kinds[i];
    return NULL;
}

static bool put_path(const struct device *d, struct bytes *out, struct err *e)
{
    const struct boot_kind *k = find_kind(d->type->name);
    if (!k)
        return err_set(e, "bootindex: firmware cannot boot from a %s", d->type->name);
    // Both kinds are PCI functions, whose struct begins with struct pci_device.
    const struct pci_device *p = (const struct pci_device *)(const void *)d;
    char line[128], function[8] = "";
    if (p->devfn & 7)
        snprintf(function, sizeof(function), ",%x", p->devfn & 7u);
    int n = snprintf(line, sizeof(line), "/pci@i0cf8/%s@%x%s%s\n", k->node, p->devfn >> 3, function,
                     k->behind);
    bytes_add(out, line, (size_t)n);
    return true;
}

bool boot_order_put(const struct machine *m, struct bytes *out, struct err *e)
{
    for (unsigned i = 0; i < m->n_boot_order; i++)
        if (!put_path(m->boot_order[i].device, out, e))
            return false;
    if (m->n_boot_order)
        bytes_put(out, 0, 1);
    return true;
}
