// SPDX-License-Identifier: Apache-2.0
// What the interrupt controllers of the board hold, for the monitor. From the pins to the cores:
// bridge, extended I/O interrupts, lines.
#include "mach/la_virt.h"

#include "base/text.h"
#include "dev/ls3_chip.h"
#include "dev/pch_pic.h"

static void show_pins(const struct pch_pic *p, struct text *to)
{
    text_add(to, "bridge: pins up 0x%llx, masked 0x%llx, edges latched 0x%llx, vectors asserted:",
             (unsigned long long)p->input, (unsigned long long)p->mask,
             (unsigned long long)p->edges);
    unsigned n = 0;
    for (unsigned v = 0; v < EXTIOI_N_VECTORS; v++)
        if (p->vectors_sent[v / 64] >> (v % 64) & 1)
            n += (text_add(to, " %u", v), 1);
    text_add(to, "%s\n", n ? "" : " none");
}

static void show_vector(const struct extioi_node *node, unsigned v, struct text *to)
{
    bool enabled = node->enable[v / 64] >> (v % 64) & 1;
    text_add(to, "  vector %u: %s%s", v, node->line[v / 64] >> (v % 64) & 1 ? "line" : "message",
             enabled ? "" : ", not enabled");
    if (node->target[v] == EXTIOI_NO_CORE)
        text_add(to, ", at no core\n");
    else
        text_add(to, ", at core %u\n", node->target[v]);
}

static void show_vectors(const struct extioi *x, struct text *to)
{
    text_add(to, "extended I/O interrupts: %s\n", x->is_enabled ? "on" : "off");
    for (unsigned i = 0; i < x->n_nodes; i++) {
        const struct extioi_node *node = &x->node[i];
        for (unsigned v = 0; v < EXTIOI_N_VECTORS; v++)
            if ((node->message[v / 64] | node->line[v / 64]) >> (v % 64) & 1)
                show_vector(node, v, to);
    }
}

// Lines are numbered as in ESTAT.IS: 2 is HWI0.
static void show_lines(const struct machine *m, const struct core_irq *c, struct text *to)
{
    static const char *const sources[] = {"IPI", "extended I/O", "legacy I/O"};
    for (unsigned core = 0; core < m->n_cpus; core++)
        for (unsigned s = 0; s < CORE_IRQ_N_SOURCES; s++)
            if (c->driven[core][s])
                text_add(to, "core %u: %s drives lines 0x%x\n", core, sources[s],
                         c->driven[core][s]);
}

void la_virt_show_interrupts(struct machine *m, struct text *to)
{
    const struct la_virt *v = la_virt_of(m);
    show_pins(v->pic, to);
    show_vectors(v->chip->extioi, to);
    show_lines(m, &v->chip->cores, to);
}
