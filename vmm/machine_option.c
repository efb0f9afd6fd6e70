// SPDX-License-Identifier: Apache-2.0
#include "vmm/machine_option.h"
#include "base/bug.h"
#include "base/option.h"
#include "mach/machine.h"
#include "vmm/options.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BOARDS   16
#define MAX_DELAY_NS 1000000000

static bool set_board(struct machine_option *to, const char *name, struct err *e)
{
    const char *names[MAX_BOARDS] = {NULL};
    const struct board *b = board_find(name);
    if (b) {
        to->board = b->name;
        return true;
    }
    for (size_t i = 0; (b = board_at(i)); i++) {
        BUG_ON(i + 1 >= MAX_BOARDS);
        names[i] = b->name;
    }
    err_set(e, "-machine: no board '%s'", name);
    return err_suggest(e, name, names, "-machine help lists them");
}

static bool set_ipi_delay(struct machine_option *to, const char *value, struct err *e)
{
    char *end;
    unsigned long n = strtoul(value, &end, 10);
    if (end == value || *end || *value == '-' || n > MAX_DELAY_NS)
        return err_set(e, "-machine: ipi-delay=%s: write ns, at most %d", value, MAX_DELAY_NS);
    to->ipi_delay_ns = (u32)n;
    return true;
}

static bool set_property(struct machine_option *to, char *option, struct err *e)
{
    const char *value = option_value(option);
    struct err unknown = {0};
    bool is_on;
    if (!strcmp(option, "ipi-delay"))
        return set_ipi_delay(to, value, e);
    if (strcmp(option, "kernel-irqchip"))
        return err_set(e, "-machine: no property '%s'; there are: kernel-irqchip, ipi-delay", option);
    if (!strcmp(value, "auto")) {
        to->kernel_irqchip = MACHINE_AUTO;
        return true;
    }
    if (!option_bool("kernel-irqchip", value, &is_on, &unknown))
        return err_set(e, "-machine: kernel-irqchip=%s: write on, off or auto", value);
    to->kernel_irqchip = is_on ? MACHINE_ON : MACHINE_OFF;
    return true;
}

// The board comes first, and may be left out.
static bool parse(struct machine_option *to, char *rest, struct err *e)
{
    for (bool is_first = true; rest; is_first = false) {
        char *option = option_next(&rest);
        bool ok = is_first && !strchr(option, '=') ? set_board(to, option, e)
                                                   : set_property(to, option, e);
        if (!ok)
            return false;
    }
    return true;
}

bool machine_option_parse(const char *text, struct machine_option *to, struct err *e)
{
    *to = (struct machine_option){0};
    char *copy = text ? strdup(text) : NULL;
    BUG_ON(text && !copy);
    bool ok = parse(to, copy, e);
    free(copy);
    return ok;
}
