// SPDX-License-Identifier: Apache-2.0
#include "vmm/cpu_option.h"
#include "base/bug.h"
#include "cpu/loongarch64/state.h"
#include "vmm/options.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_MODEL "max"
#define MAX_NAMES     64

static const struct la_model *find_model(const char *name, struct err *e)
{
    const struct la_model *model = la_model_find(name);
    if (model)
        return model;
    const char *names[MAX_NAMES] = {NULL};
    for (size_t i = 0; la_models[i].name; i++)
        names[i] = la_models[i].name;
    err_set(e, "-cpu: no model '%s'", name);
    err_suggest(e, name, names, "-cpu help lists them");
    return NULL;
}

static bool check_feature(const char *name, struct err *e)
{
    const char *names[MAX_NAMES] = {NULL};
    for (size_t i = 0; la_features[i].name; i++) {
        BUG_ON(i + 1 >= MAX_NAMES);
        names[i] = la_features[i].name;
        if (!strcmp(names[i], name))
            return true;
    }
    err_set(e, "-cpu: no feature '%s'", name);
    return err_suggest(e, name, names, "-cpu help lists them");
}

// Cuts "NAME=on" or "NAME=off" into name and value; the name is known then.
static bool parse_feature(char *text, bool *on, struct err *e)
{
    char *value = strchr(text, '=');
    if (!value || (strcmp(value, "=on") && strcmp(value, "=off")))
        return err_set(e, "-cpu: '%s': write FEATURE=on or FEATURE=off", text);
    *value = 0;
    *on = !strcmp(value + 1, "on");
    return check_feature(text, e);
}

// Goes through the features of `rest` (NULL: none) and sets them; c may be NULL.
static bool apply_features(struct la_cpu *c, char *rest, struct err *e)
{
    bool on = false;
    for (char *text; (text = strsep(&rest, ","));)
        if (!parse_feature(text, &on, e) || (c && !la_cpu_set_feature(c, text, on, e)))
            return false;
    return true;
}

bool cpu_option_check(const char *text, struct err *e)
{
    char *copy = strdup(text ? text : DEFAULT_MODEL), *rest = copy;
    BUG_ON(!copy);
    bool ok = find_model(strsep(&rest, ","), e) && apply_features(NULL, rest, e);
    free(copy);
    return ok;
}

struct cpu *cpu_option_new(void *text, struct cpu_bus *bus, unsigned index, struct err *e)
{
    char *copy = strdup(text ? text : DEFAULT_MODEL), *rest = copy;
    BUG_ON(!copy);
    const struct la_model *model = find_model(strsep(&rest, ","), e);
    struct la_cpu *c = model ? la_cpu_new(model, bus, index) : NULL;
    if (c && !apply_features(c, rest, e)) {
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
