// SPDX-License-Identifier: Apache-2.0
// Tables as words and cases of the bash completion.
#include "tools/gen_docs.h"
#include "base/bug.h"
#include "base/log.h"
#include "base/types.h"
#include "cpu/loongarch64/state.h"
#include "dev/device.h"
#include "host/console/console.h"
#include "mach/machine.h"
#include "vmm/accel_option.h"
#include "vmm/cell.h"
#include "vmm/run_options.h"
#include "vmm/verbs.h"

#include <string.h>

static void write_verbs(FILE *to)
{
    for (const struct verb *v = verbs; v->name; v++)
        fprintf(to, "%s%s", v == verbs ? "" : " ", v->name);
}

static void write_cell_commands(FILE *to)
{
    for (const struct cell_command *c = cell_commands; c->name; c++)
        fprintf(to, "%s%s", c == cell_commands ? "" : " ", c->name);
}

static void write_cell_options(FILE *to)
{
    const char *space = "";
    for (const struct option *o = cell_option_table; !options_at_end(o); o++) {
        if (o->kind == OPTION_GROUP)
            continue;
        fprintf(to, "%s%s", space, o->name);
        space = " ";
    }
}

static void write_run_options(FILE *to)
{
    const char *space = "";
    for (const struct option *o = run_option_table; !options_at_end(o); o++) {
        if (o->kind == OPTION_GROUP)
            continue;
        fprintf(to, "%s%s", space, o->name);
        if (o->other_name)
            fprintf(to, " %s", o->other_name);
        space = " ";
    }
}

static void put_boards(FILE *to)
{
    const struct board *b;
    for (size_t i = 0; (b = board_at(i)); i++)
        fprintf(to, "%s ", b->name);
    fprintf(to, "help");
}

static void put_accel_values(const struct accel_property *p, FILE *to)
{
    if (p->values[0])
        fprintf(to, "%s=%s %s=%s ", p->name, p->values[0], p->name, p->values[1]);
    else
        fprintf(to, "%s= ", p->name);
}

static void put_accels(FILE *to)
{
    for (const struct accel_doc *a = accel_docs; a->name; a++)
        fprintf(to, "%s ", a->name);
    fprintf(to, "help'\n            [[ $2 != jit,* ]] || list='");
    for (const struct accel_property *p = accel_jit_properties; p->name; p++)
        put_accel_values(p, to);
}

static void put_lvz_values(const struct la_lvz_property *l, FILE *to)
{
    const char *word = l->words;
    if (!word)
        fprintf(to, l->is_flag ? "%s=on %s=off " : "%s= ", l->name, l->name);
    for (; word; word = *word ? word + 1 : NULL) {
        fprintf(to, "%s=%.*s ", l->name, (int)strcspn(word, "|"), word);
        word += strcspn(word, "|");
    }
}

// Models, and after a comma features.
static void put_cpus(FILE *to)
{
    for (const struct la_model *m = la_models; m->name; m++)
        fprintf(to, "%s ", m->name);
    fprintf(to, "help'\n            [[ $2 != *,* ]] || list='");
    for (const struct la_feature *f = la_features; f->name; f++)
        fprintf(to, "%s=on %s=off ", f->name, f->name);
    for (const struct la_lvz_property *l = la_lvz_properties; l->name; l++)
        put_lvz_values(l, to);
}

// Names, and after a comma properties.
static void put_devices(FILE *to)
{
    const struct device_type *t;
    for (size_t i = 0; (t = device_type_at(i)); i++)
        if (t->is_pluggable)
            fprintf(to, "%s ", t->name);
    fprintf(to, "help'\n            [[ $2 != *,* ]] || _lh_device_properties \"$2");
}

static void put_log_classes(FILE *to)
{
    for (int i = 0; i < LOG_N_CLASSES; i++)
        fprintf(to, "%s ", log_class_name(i));
    fprintf(to, "help");
}

// The first word of each grammar, with its colon.
static void put_serials(FILE *to)
{
    const char *grammar, *doc;
    for (size_t i = 0; (grammar = console_grammar(i, &doc)); i++) {
        size_t n = strcspn(grammar, ":[,");
        fprintf(to, "%.*s ", (int)(n + (grammar[n] == ':')), grammar);
    }
    fprintf(to, "help @file");
}

static void put_files(FILE *to)
{
    fprintf(to, "@file");
}

static const struct {
    const char *name;
    void (*put)(FILE *to);
    char quote;
} lists[] = {
    {"@file", put_files, '\''},     {"@accel", put_accels, '\''},  {"@board", put_boards, '\''},
    {"@cpu", put_cpus, '\''},       {"@device", put_devices, '"'}, {"@log", put_log_classes, '\''},
    {"@serial", put_serials, '\''},
};

static void put_values(const char *values, FILE *to)
{
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (!strcmp(lists[i].name, values)) {
            lists[i].put(to);
            fputc(lists[i].quote, to);
            return;
        }
    }
    BUG_ON(values[0] == '@');
    fprintf(to, "%s'", values);
}

static void write_run_values(FILE *to)
{
    for (const struct option *o = run_option_table; !options_at_end(o); o++) {
        if (o->kind == OPTION_GROUP || !o->argument)
            continue;
        fprintf(to, "        -%s", o->name);
        if (o->other_name)
            fprintf(to, " | -%s", o->other_name);
        // Something, so that an option without values is not taken for a word of its own.
        fprintf(to, ")\n            list='");
        if (o->values)
            put_values(o->values, to);
        else
            fprintf(to, " '");
        fprintf(to, "\n            ;;\n");
    }
    fputs("        *) ;;", to);
}

static void write_device_properties(FILE *to)
{
    const struct device_type *t;
    for (size_t i = 0; (t = device_type_at(i)); i++) {
        if (!t->is_pluggable)
            continue;
        fprintf(to, "        %s) list='id=", t->name);
        for (const struct device_prop *p = t->props; p && p->name; p++) {
            if (p->kind == PROP_BOOL)
                fprintf(to, " %s=on %s=off", p->name, p->name);
            else
                fprintf(to, " %s=", p->name);
        }
        fprintf(to, " help' ;;\n");
    }
    fputs("        *) list=' ' ;;", to);
}

static void put_name(const struct fetch_option *o, FILE *to)
{
    fprintf(to, "%s ", o->name);
}

static void write_fetch_option_names(FILE *to)
{
    fetch_options(put_name, to);
}

const struct doc_part bash_parts[] = {
    {"verbs", write_verbs},
    {"cell-commands", write_cell_commands},
    {"cell-options", write_cell_options},
    {"run-options", write_run_options},
    {"run-values", write_run_values},
    {"device-properties", write_device_properties},
    {"fetch-option-names", write_fetch_option_names},
    {0},
};
