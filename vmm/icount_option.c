// SPDX-License-Identifier: Apache-2.0
#include "vmm/icount_option.h"
#include "base/bug.h"
#include "base/option.h"
#include "vmm/accel_option.h"
#include "vmm/insn_clock.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool parse_shift(struct icount_option *i, const char *value, struct err *e)
{
    if (!strcmp(value, "auto"))
        return err_set(e, "shift=auto follows the host's time, and no run is like another; write a "
                          "number");
    char *rest;
    unsigned long n = strtoul(value, &rest, 10);
    if (!isdigit((unsigned char)*value) || *rest || n > INSN_CLOCK_MAX_SHIFT)
        return err_set(e, "shift=%s: a number from 0 (1 ns for each instruction) to %d is wanted",
                       value, INSN_CLOCK_MAX_SHIFT);
    i->shift = (unsigned)n;
    return true;
}

static bool parse_word(struct icount_option *i, char *word, struct err *e)
{
    if (!strcmp(word, "on") || !strcmp(word, "off")) {
        i->is_on = !strcmp(word, "on");
        return true;
    }
    i->is_on = true;
    char *value = option_value(word);
    if (!strcmp(word, "shift"))
        return parse_shift(i, value, e);
    return err_set(e, "no '%s'; there are on, off and shift=N", word);
}

bool icount_option_parse(struct icount_option *i, const char *text, struct err *e)
{
    *i = (struct icount_option){0};
    if (!text)
        return true;
    char *copy = strdup(text), *rest = copy;
    BUG_ON(!copy);
    bool ok = true;
    while (ok && rest)
        ok = parse_word(i, option_next(&rest), e);
    free(copy);
    return ok || err_context(e, "-icount %s", text);
}

static bool is_none(const char *text)
{
    return !strcmp(text, "none");
}

bool icount_option_check(const struct run_options *o, struct err *e)
{
    struct icount_option i;
    if (!icount_option_parse(&i, o->icount, e))
        return false;
    if (!i.is_on)
        return true;
    struct accel_option accel;
    if (accel_option_parse(o->accel, &accel, e) && accel.kind == ACCEL_KVM)
        return err_set(e,
                       "-icount: the host's own processors do not count; use -accel jit or interp");
    if (o->netdevs.n)
        return err_set(e, "-icount: no run is like another with a network; leave out -netdev");
    for (size_t n = 0; n < o->nics.n; n++)
        if (!is_none(o->nics.texts[n]))
            return err_set(e, "-icount: no run is like another with a network; write -nic none");
    return true;
}
