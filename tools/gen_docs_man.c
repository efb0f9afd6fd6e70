// SPDX-License-Identifier: Apache-2.0
// Tables as lists of the manual pages, in roff's macros for them (man(7)).
#include "tools/gen_docs.h"
#include "base/log.h"
#include "cpu/loongarch64/inspect.h"
#include "cpu/loongarch64/state.h"
#include "dev/device.h"
#include "host/console/console.h"
#include "mach/machine.h"
#include "vmm/accel_option.h"
#include "vmm/cell.h"
#include "vmm/monitor_command.h"
#include "vmm/run_options.h"
#include "vmm/verbs.h"

#include <ctype.h>
#include <string.h>

// A character that roff would take for itself, or turn into a typographic one.
static void put_char(char c, FILE *to)
{
    switch (c) {
    case '-': fputs("\\-", to); break;
    case '\\': fputs("\\e", to); break;
    case '\'': fputs("\\(aq", to); break;
    case '`': fputs("\\(ga", to); break;
    case '^': fputs("\\(ha", to); break;
    case '~': fputs("\\(ti", to); break;
    default: fputc(c, to);
    }
}

static void put_text(const char *text, FILE *to)
{
    if (*text == '.')
        fputs("\\&", to);
    while (*text)
        put_char(*text++, to);
}

// As a sentence: with a capital and a full stop.
static void put_sentence(const char *text, FILE *to)
{
    if (!*text)
        return;
    put_char((char)toupper((unsigned char)*text), to);
    put_text(text + 1, to);
    if (!strchr(".:!", text[strlen(text) - 1]))
        fputc('.', to);
    fputc('\n', to);
}

// Words in capitals are what the user puts there.
static void put_grammar(const char *text, FILE *to)
{
    bool is_placeholder = false;
    for (; *text; text++) {
        bool is_capital = isupper((unsigned char)*text);
        if (is_capital != is_placeholder)
            fputs(is_capital ? "\\fI" : "\\fR", to);
        is_placeholder = is_capital;
        put_char(*text, to);
    }
    if (is_placeholder)
        fputs("\\fR", to);
}

// Names that a text begins with are not capitalized, so these texts stay as they are.
static void put_item(const char *name, const char *doc, FILE *to)
{
    fprintf(to, ".TP\n\\fB");
    put_text(name, to);
    fprintf(to, "\\fR\n");
    put_text(doc, to);
    fputc('\n', to);
}

static void put_name(const char *name, const char *dashes, FILE *to)
{
    fprintf(to, "\\fB");
    put_text(name[1] ? dashes : "-", to);
    put_text(name, to);
    fprintf(to, "\\fR");
}

static void put_option(const struct option *o, const char *dashes, FILE *to)
{
    fprintf(to, ".TP\n");
    put_name(o->name, dashes, to);
    if (o->other_name) {
        fprintf(to, ", ");
        put_name(o->other_name, dashes, to);
    }
    if (o->argument) {
        fputc(' ', to);
        put_grammar(o->argument, to);
    }
    fputc('\n', to);
    put_sentence(o->doc, to);
    if (o->more)
        put_sentence(o->more, to);
}

static void write_options(FILE *to)
{
    for (const struct option *o = run_option_table; !options_at_end(o); o++) {
        if (o->kind == OPTION_GROUP)
            fprintf(to, ".SS %s\n", o->name);
        else
            put_option(o, "-", to);
    }
    fputs(".PP", to);
}

static void write_cell_options(FILE *to)
{
    for (const struct option *o = cell_option_table; !options_at_end(o); o++)
        if (o->kind != OPTION_GROUP)
            put_option(o, "--", to);
    fputs(".PP", to);
}

static void write_cell_commands(FILE *to)
{
    for (const struct cell_command *c = cell_commands; c->name; c++) {
        fprintf(to, ".TP\n\\fB%s\\fR%s", c->name, *c->arguments ? " " : "");
        put_grammar(c->arguments, to);
        fputc('\n', to);
        put_sentence(c->doc, to);
    }
    fputs(".PP", to);
}

static void write_verbs(FILE *to)
{
    for (const struct verb *v = verbs; v->name; v++) {
        fprintf(to, ".TP\n\\fB%s\\fR%s", v->name, *v->arguments ? " " : "");
        put_grammar(v->arguments, to);
        fputc('\n', to);
        put_sentence(v->doc, to);
    }
    fputs(".PP", to);
}

static void write_boards(FILE *to)
{
    const struct board *b;
    for (size_t i = 0; (b = board_at(i)); i++)
        put_item(b->name, b->doc, to);
    fputs(".PP", to);
}

static void write_accels(FILE *to)
{
    for (const struct accel_doc *a = accel_docs; a->name; a++)
        put_item(a->name, a->doc, to);
    fputs(".PP", to);
}

static void write_accel_properties(FILE *to)
{
    for (const struct accel_property *p = accel_jit_properties; p->name; p++)
        put_item(p->name, p->doc, to);
    fputs(".PP", to);
}

static void write_models(FILE *to)
{
    for (const struct la_model *m = la_models; m->name; m++)
        put_item(m->name, m->doc, to);
    fputs(".PP", to);
}

static void write_features(FILE *to)
{
    for (const struct la_feature *f = la_features; f->name; f++)
        put_item(f->name, f->doc, to);
    for (const struct la_lvz_property *l = la_lvz_properties; l->name; l++)
        put_item(l->name, l->doc, to);
    fputs(".PP", to);
}

static void put_property(const struct device_prop *p, FILE *to)
{
    static const char *const kinds[] = {
        [PROP_BOOL] = "on|off", [PROP_U64] = "N", [PROP_SIZE] = "SIZE", [PROP_STRING] = "TEXT"};
    fprintf(to, ".TP\n\\fB");
    put_text(p->name, to);
    fputs("\\fR=", to);
    put_grammar(kinds[p->kind], to);
    fputc('\n', to);
    put_text(p->doc, to);
    if (p->initial) {
        fputs(" (default: ", to);
        put_text(p->initial, to);
        fputc(')', to);
    }
    fputc('\n', to);
}

static void write_devices(FILE *to)
{
    const struct device_type *t;
    unsigned n = 0;
    for (size_t i = 0; (t = device_type_at(i)); i++) {
        if (!t->is_pluggable)
            continue;
        put_item(t->name, t->doc, to);
        fputs(".RS\n", to);
        for (const struct device_prop *p = t->props; p && p->name; p++)
            put_property(p, to);
        fputs(".RE\n", to);
        n++;
    }
    fputs(n ? ".PP" : "This build has no devices for\n.BR \\-device .", to);
}

static void write_serials(FILE *to)
{
    const char *grammar, *doc;
    for (size_t i = 0; (grammar = console_grammar(i, &doc)); i++) {
        fputs(".TP\n", to);
        put_grammar(grammar, to);
        fputc('\n', to);
        put_text(doc, to);
        fputc('\n', to);
    }
    fputs(".PP", to);
}

static void write_log_classes(FILE *to)
{
    for (int i = 0; i < LOG_N_CLASSES; i++)
        put_item(log_class_name(i), log_class_doc(i), to);
    fputs(".PP", to);
}

// "name ARGUMENTS" and a sentence.
static void put_command(const char *name, const char *arguments, const char *doc, const char *more,
                        FILE *to)
{
    fputs(".TP\n\\fB", to);
    put_text(name, to);
    fputs(*arguments ? "\\fR " : "\\fR", to);
    put_grammar(arguments, to);
    fputc('\n', to);
    put_sentence(doc, to);
    if (more)
        put_sentence(more, to);
}

static void write_monitor_commands(FILE *to)
{
    for (const struct monitor_command *c = monitor_commands; c->name; c++)
        put_command(c->name, c->arguments, c->doc, c->more, to);
    fputs(".PP", to);
}

static void write_monitor_topics(FILE *to)
{
    for (const struct monitor_command *c = monitor_infos; c->name; c++)
        put_command(c->name, c->arguments, c->doc, NULL, to);
    for (const struct cpu_topic *t = la_inspect.topics; t->name; t++)
        put_command(t->name, t->argument, t->doc, NULL, to);
    fputs(".PP", to);
}

static void put_fetch_option(const struct fetch_option *o, FILE *to)
{
    fputs(".TP\n\\fB", to);
    put_text(o->name, to);
    fputs(*o->argument ? "\\fR " : "\\fR", to);
    put_grammar(o->argument, to);
    fputc('\n', to);
    put_sentence(o->text, to);
}

static void write_fetch_options(FILE *to)
{
    fetch_options(put_fetch_option, to);
    fputs(".PP", to);
}

const struct doc_part man_parts[] = {
    {"options", write_options},
    {"cell-options", write_cell_options},
    {"cell-commands", write_cell_commands},
    {"verb-list", write_verbs},
    {"boards", write_boards},
    {"accels", write_accels},
    {"accel-properties", write_accel_properties},
    {"models", write_models},
    {"features", write_features},
    {"devices", write_devices},
    {"serials", write_serials},
    {"log-classes", write_log_classes},
    {"monitor-commands", write_monitor_commands},
    {"monitor-topics", write_monitor_topics},
    {"fetch-options", write_fetch_options},
    {0},
};
