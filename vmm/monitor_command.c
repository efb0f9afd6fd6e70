// SPDX-License-Identifier: Apache-2.0
// Finding commands and topics, and telling what there is.
#include "vmm/monitor_command.h"
#include "base/bug.h"
#include "vmm/options.h"

#include <string.h>

#define MAX_NAMES 64

const struct monitor_command monitor_commands[] = {
#define COMMAND(name, arguments, min, max, function, doc, more) \
    {name, arguments, doc, more, min, max, function},
#define INFO(name, arguments, min, max, function, doc)
#include "vmm/monitor_commands.def"
#undef COMMAND
#undef INFO
    {0},
};

const struct monitor_command monitor_infos[] = {
#define COMMAND(name, arguments, min, max, function, doc, more)
#define INFO(name, arguments, min, max, function, doc) \
    {name, arguments, doc, NULL, min + 1, max + 1, function},
#include "vmm/monitor_commands.def"
#undef COMMAND
#undef INFO
    {0},
};

struct cpu *monitor_cpu(const struct monitor_call *c)
{
    return c->machine->cpus[*c->cpu];
}

const struct cpu_inspect *monitor_inspect(const struct monitor_call *c, struct err *e)
{
    const struct cpu_inspect *i = monitor_cpu(c)->ops->inspect;
    if (!i)
        err_set(e, "processors that KVM runs cannot be looked into; -accel interp can");
    return i;
}

static bool get_register(void *opaque, const char *name, u64 *value)
{
    struct cpu *cpu = opaque;
    const struct cpu_inspect *i = cpu->ops->inspect;
    return i && i->get(cpu, name, value);
}

bool monitor_address(const struct monitor_call *c, unsigned at, u64 *value, struct err *e)
{
    const struct monitor_registers r = {get_register, monitor_cpu(c)};
    return monitor_number(c->words.word[at], &r, value, e);
}

static const struct monitor_command *find_command(const struct monitor_command *table,
                                                  const char *name)
{
    for (; table->name; table++)
        if (!strcmp(table->name, name))
            return table;
    return NULL;
}

static const struct cpu_topic *find_topic(const struct monitor_call *c, const char *name)
{
    const struct cpu_inspect *i = monitor_cpu(c)->ops->inspect;
    for (const struct cpu_topic *t = i ? i->topics : NULL; t && t->name; t++)
        if (!strcmp(t->name, name))
            return t;
    return NULL;
}

static unsigned add_names(const struct monitor_command *table, const char **names, unsigned n)
{
    for (; table->name; table++)
        names[n++] = table->name;
    BUG_ON(n >= MAX_NAMES);
    return n;
}

static bool no_command(const char *word, struct err *e)
{
    const char *names[MAX_NAMES] = {NULL};
    add_names(monitor_commands, names, 0);
    err_set(e, "'%.60s': no such command", word);
    err_suggest(e, word, names, "'help' lists them");
    return false;
}

static bool no_topic(const struct monitor_call *c, const char *word, struct err *e)
{
    const char *names[MAX_NAMES] = {NULL};
    unsigned n = add_names(monitor_infos, names, 0);
    const struct cpu_inspect *i = monitor_cpu(c)->ops->inspect;
    for (const struct cpu_topic *t = i ? i->topics : NULL; t && t->name && n + 1 < MAX_NAMES; t++)
        names[n++] = t->name;
    err_set(e, "'info %.60s': no such topic", word);
    err_suggest(e, word, names, "'info' lists them");
    return false;
}

static bool wrong_arguments(const char *prefix, const char *name, const char *arguments,
                            struct err *e)
{
    if (!*arguments)
        return err_set(e, "'%s%s' takes nothing after it", prefix, name);
    return err_set(e, "write: %s%s %s", prefix, name, arguments);
}

static void list_line(struct text *to, const char *name, const char *arguments, const char *doc)
{
    const unsigned column = 32;
    text_add(to, "  %s%s%s ", name, *arguments ? " " : "", arguments);
    if (strlen(name) + strlen(arguments) + 5 > column)
        text_add(to, "\n");
    text_pad(to, column);
    text_add(to, "%s\n", doc);
}

static void list_topics(struct monitor_call *c)
{
    const struct cpu_inspect *i = monitor_cpu(c)->ops->inspect;
    for (const struct monitor_command *t = monitor_infos; t->name; t++)
        list_line(c->to, t->name, t->arguments, t->doc);
    for (const struct cpu_topic *t = i ? i->topics : NULL; t && t->name; t++)
        list_line(c->to, t->name, t->argument, t->doc);
}

bool monitor_help(struct monitor_call *c, struct err *e)
{
    const struct monitor_command *t = monitor_commands;
    if (c->words.n == 1) {
        for (; t->name; t++)
            list_line(c->to, t->name, t->arguments, t->doc);
        text_add(c->to, "Addresses are numbers, registers ($sp, $era) or sums of them. "
                        "'help COMMAND' tells more.\n");
        return true;
    }
    t = find_command(monitor_commands, c->words.word[1]);
    if (!t)
        return no_command(c->words.word[1], e);
    text_add(c->to, "%s%s%s: %s.\n", t->name, *t->arguments ? " " : "", t->arguments, t->doc);
    if (t->more)
        text_add(c->to, "%s\n", t->more);
    if (t->run == monitor_info)
        list_topics(c);
    return true;
}

static bool print_topic(struct monitor_call *c, const struct cpu_topic *t, struct err *e)
{
    const struct machine *m = c->machine;
    const char *word = c->words.n > 2 ? c->words.word[2] : "";
    if (*word && !*t->argument)
        return wrong_arguments("info ", t->name, t->argument, e);
    return t->print(m->cpus, m->n_cpus, *c->cpu, word, c->to, e);
}

bool monitor_info(struct monitor_call *c, struct err *e)
{
    if (c->words.n == 1) {
        list_topics(c);
        return true;
    }
    const struct monitor_command *info = find_command(monitor_infos, c->words.word[1]);
    const struct cpu_topic *topic = find_topic(c, c->words.word[1]);
    if (!info && !topic)
        return no_topic(c, c->words.word[1], e);
    if (!info)
        return print_topic(c, topic, e);
    if (c->words.n - 1 < info->min_words || c->words.n - 1 > info->max_words)
        return wrong_arguments("info ", info->name, info->arguments, e);
    return info->run(c, e);
}

static bool run(struct monitor_call *c, struct err *e)
{
    const struct monitor_command *t = find_command(monitor_commands, c->words.word[0]);
    unsigned n = c->words.n - 1;
    if (!t)
        return no_command(c->words.word[0], e);
    if (n < t->min_words || n > t->max_words)
        return wrong_arguments("", t->name, t->arguments, e);
    pace_hold(c->monitor->pace);
    bool ok = t->run(c, e);
    pace_release(c->monitor->pace);
    return ok;
}

bool monitor_execute(struct monitor *m, unsigned *cpu, char *line, struct text *to, struct err *e)
{
    struct monitor_call c = {.monitor = m, .machine = m->machine, .cpu = cpu, .to = to};
    return monitor_split(line, &c.words, e) && (!c.words.n || run(&c, e));
}
