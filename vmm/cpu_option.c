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

static bool is_known(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name))
        names++;
    return *names;
}

static bool check_name(const char *name, struct err *e)
{
    const char *names[MAX_NAMES] = {NULL};
    size_t n = 0;
    for (size_t i = 0; la_features[i].name; i++)
        names[n++] = la_features[i].name;
    for (size_t i = 0; la_lvz_properties[i].name; i++)
        names[n++] = la_lvz_properties[i].name;
    BUG_ON(n >= MAX_NAMES);
    if (is_known(name, names))
        return true;
    err_set(e, "-cpu: no feature '%s'", name);
    return err_suggest(e, name, names, "-cpu help lists them");
}

// A feature that stays off although it was switched on: the unit that it needs is off.
static bool is_refused(const struct la_cpu *c, const char *name, const char *value)
{
    for (const struct la_feature *f = la_features; f->name; f++)
        if (!strcmp(f->name, name))
            return !strcmp(value, "on") && !(c->cpucfg[f->word] >> f->bit & 1);
    return false;
}

// One "NAME=VALUE"; c may be NULL.
static bool apply_feature(struct la_cpu *c, char *text, struct err *e)
{
    char *value = strchr(text, '=');
    if (!value)
        return err_set(e, "-cpu: '%s': write FEATURE=on or FEATURE=off", text);
    *value++ = 0;
    if (!check_name(text, e) || !(la_cpu_set_property(c, text, value, e) || err_context(e, "-cpu")))
        return false;
    return !c || !is_refused(c, text, value) ||
           err_set(e, "-cpu: %s=on: what it needs is off: lasx needs lsx, which needs fp", text);
}

static bool apply_features(struct la_cpu *c, char *rest, struct err *e)
{
    for (char *text; (text = strsep(&rest, ","));)
        if (!apply_feature(c, text, e))
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

static void print_properties(FILE *to)
{
    fprintf(to,
            "Choices of the virtualization extension (lvz), where known sources leave it open:\n");
    for (const struct la_lvz_property *p = la_lvz_properties; p->name; p++) {
        fprintf(to, "  %-18s %s (default: ", p->name, p->doc);
        if (p->words)
            fprintf(to, "%.*s)\n", (int)strcspn(p->words, "|"), p->words);
        else if (p->is_flag)
            fprintf(to, "%s)\n", p->initial ? "on" : "off");
        else
            fprintf(to, "%u)\n", p->initial);
    }
}

void cpu_option_help(FILE *to)
{
    fprintf(to, "Models:\n");
    for (const struct la_model *m = la_models; m->name; m++)
        fprintf(to, "  %-12s %s\n", m->name, m->doc);
    fprintf(to, "Features, each MODEL,NAME=on or =off:\n");
    for (const struct la_feature *f = la_features; f->name; f++)
        fprintf(to, "  %-12s %s\n", f->name, f->doc);
    print_properties(to);
}
