// SPDX-License-Identifier: Apache-2.0
#include "vmm/cell.h"
#include "vmm/cell_bundle.h"
#include "vmm/cell_compile.h"
#include "vmm/verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_OK = 0, STATUS_REFUSED = 1, DEFAULT_TIMEOUT_S = 60 };
#define ANYWHERE true
#define INSIDE   false

const struct cell_command cell_commands[] = {
#define COMMAND(name, function, where, arguments, doc) {name, function, where, arguments, doc},
#include "vmm/cell_commands.def"
#undef COMMAND
    {0},
};

const struct option cell_option_table[] = {
#define GROUP(heading) {.kind = OPTION_GROUP, .name = heading},
#define OPTION(field, name, other, argument, kind, values, doc, more) \
    {OPTION_##kind, name, other, argument, offsetof(struct cell_options, field), values, doc, more},
#include "vmm/cell_options.def"
#undef GROUP
#undef OPTION
    {.kind = OPTION_GROUP},
};

const char *cell_state_name(u32 state)
{
    static const char *const names[] = {"none", "created", "running", "stopped", "failed"};
    return state < ARRAY_LEN(names) ? names[state] : "?";
}

static bool parse_timeout(const char *text, double *seconds, struct err *e)
{
    char *end = NULL;
    *seconds = text ? strtod(text, &end) : DEFAULT_TIMEOUT_S;
    return !text || (end != text && !*end && *seconds >= 0) ||
           err_set(e, "--timeout '%s': not a number of seconds; write 60", text);
}

bool cell_named(struct cell_job *j, u32 *cell, struct control_cell *info)
{
    if (!j->o->target)
        return err_set(j->e, "which cell? 'lh cell list' shows them");
    return cell_client_find(j->c, j->o->target, cell, info, j->e);
}

static bool need_file(struct cell_job *j)
{
    return j->o->target || err_set(j->e, "which description? name its file");
}

bool cell_check(struct cell_job *j)
{
    static struct cell_description d;
    if (!need_file(j) || !cell_compile_file(&d, j->o->target, j->e))
        return false;
    fprintf(j->out, "%s '%s': %u processors, %u memory regions, %u devices, %u bytes\n",
            d.head.kind == CELL_BLOB_SYSTEM ? "system" : "cell", d.head.name, d.head.n_cpus,
            d.head.n_memory, d.head.n_devices, d.head.size);
    return true;
}

bool cell_do_compile(struct cell_job *j)
{
    static struct cell_description d;
    if (!need_file(j) || !cell_compile_file(&d, j->o->target, j->e))
        return false;
    if (!j->o->output)
        return err_set(j->e, "where to? name a file with -o");
    FILE *f = fopen(j->o->output, "wbe");
    bool is_good = f && fwrite(d.bytes, 1, d.head.size, f) == d.head.size;
    is_good = f && !fclose(f) && is_good;
    return is_good || err_set(j->e, "cannot write '%s': %s", j->o->output, strerror(errno));
}

bool cell_bundle(struct cell_job *j)
{
    return cell_bundle_write(j->o, j->e);
}

static int help(void)
{
    printf("Usage: lh cell COMMAND [OPTION]...\n\n");
    // Arguments that are wider than their column have a line of their own.
    for (const struct cell_command *c = cell_commands; c->name; c++)
        printf(strlen(c->arguments) > 20 ? "  %-9s %s\n%33s%s\n" : "  %-9s %-20s %.0s%s\n", c->name,
               c->arguments, "", c->doc);
    options_print(cell_option_table, "--", stdout);
    printf("\nAll but check, compile and bundle want to run in the root cell.\n");
    return STATUS_OK;
}

static int help_of(const struct cell_command *c)
{
    printf("Usage: lh cell %s%s%s [OPTION]...\n%s%s\n", c->name, *c->arguments ? " " : "",
           c->arguments, c->doc, c->is_anywhere ? "" : " (wants to run in the root cell)");
    options_print(cell_option_table, "--", stdout);
    return STATUS_OK;
}

static const struct cell_command *find(const char *word, struct err *e)
{
    const char *names[ARRAY_LEN(cell_commands)] = {NULL};
    for (size_t i = 0; cell_commands[i].name; i++) {
        if (!strcmp(cell_commands[i].name, word))
            return &cell_commands[i];
        names[i] = cell_commands[i].name;
    }
    err_set(e, "no command '%s'", word);
    err_suggest(e, word, names, "lh cell --help lists them");
    return NULL;
}

static bool has_target(const struct cell_command *command)
{
    return *command->arguments && *command->arguments != '-';
}

static bool run(const struct cell_command *command, struct cell_options *o, struct err *e)
{
    static struct cell_client client;
    struct cell_job j = {.o = o, .out = stdout, .e = e};
    if (o->target && !has_target(command))
        return err_set(e, "takes no target, '%s' is one", o->target);
    if (!parse_timeout(o->timeout, &j.patience_s, e))
        return false;
    if (command->is_anywhere)
        return command->run(&j);
    j.c = &client;
    bool is_good = cell_client_open(&client, e) && command->run(&j);
    cell_client_close(&client);
    return is_good;
}

static int refuse(const struct cell_command *command, const struct err *e)
{
    fprintf(stderr, "lh cell%s%s: %s\n", command ? " " : "", command ? command->name : "", e->text);
    return STATUS_REFUSED;
}

static bool asks(const char *word)
{
    return !strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help");
}

int cell_main(int argc, char **argv)
{
    struct err e = {0};
    struct cell_options o = {0};
    bool is_question = !argc || asks(argv[0]);
    if (is_question && argc < 2)
        return help();
    const struct cell_command *command = find(argv[is_question], &e);
    if (is_question && command)
        return help_of(command);
    bool is_good =
        command && options_parse(cell_option_table, "target", argc - 1, argv + 1, &o, &e);
    if (is_good && o.help)
        return help_of(command);
    is_good = is_good && run(command, &o, &e);
    options_free(cell_option_table, &o);
    return is_good ? STATUS_OK : refuse(command, &e);
}
