// SPDX-License-Identifier: Apache-2.0
#include "vmm/cpu_option.h"
#include "cpu/loongarch64/state.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_MODEL "max"

static const struct la_model *find_model(const char *name, struct err *e)
{
    const struct la_model *m = la_model_find(name);
    if (!m)
        err_set(e, "-cpu: no model '%s'; -cpu help lists them", name);
    return m;
}

static bool set_feature(struct la_cpu *c, char *text, struct err *e)
{
    char *value = strchr(text, '=');
    if (!value || (strcmp(value, "=on") && strcmp(value, "=off")))
        return err_set(e, "-cpu: '%s': write FEATURE=on or FEATURE=off", text);
    *value = 0;
    return la_cpu_set_feature(c, text, !strcmp(value + 1, "on"), e) || err_context(e, "-cpu");
}

static bool set_features(struct la_cpu *c, char *rest, struct err *e)
{
    for (char *text; (text = strsep(&rest, ","));)
        if (!set_feature(c, text, e))
            return false;
    return true;
}

struct cpu *cpu_option_new(void *opaque, struct cpu_bus *bus, unsigned index, struct err *e)
{
    char *copy = strdup(opaque ? opaque : DEFAULT_MODEL), *rest = copy;
    const struct la_model *model = find_model(strsep(&rest, ","), e);
    struct la_cpu *c = model ? la_cpu_new(model, bus, index) : NULL;
    if (c && rest && !set_features(c, rest, e)) {
        la_cpu_free(c);
        c = NULL;
    }
    free(copy);
    return c ? &c->cpu : NULL;
}

void cpu_option_help(FILE *to)
{
    fprintf(to, "Models:\n");
    for (const struct la_model *m = la_models; m->name; m++)
        fprintf(to, "  %-12s %s\n", m->name, m->doc);
    fprintf(to, "Features, each MODEL,NAME=on or =off:\n");
    for (const struct la_feature *f = la_features; f->name; f++)
        fprintf(to, "  %-12s %s\n", f->name, f->doc);
}
