// SPDX-License-Identifier: Apache-2.0
#include "vmm/run_help.h"
#include "dev/device.h"
#include "host/console/console.h"
#include "host/net/netdev.h"
#include "mach/machine.h"
#include "vmm/accel_option.h"
#include "vmm/cpu_option.h"
#include "vmm/run_check.h"

#include <stdlib.h>
#include <string.h>

static void print_usage(void)
{
    printf("Usage: lh run [OPTION]... [KERNEL]\nRun a LoongArch64 computer.\n");
    options_print(run_option_table, "-", stdout);
    printf(
        "\nOn the terminal, Ctrl-a x ends the machine and Ctrl-a h shows all keys.\n"
        "Exit status: 0 the guest powered off or was ended by the user, 1 wrong options or files,\n"
        "2 internal error, 3 the guest panicked (with -no-reboot).\n");
}

static void print_boards(void)
{
    const struct board *b;
    for (size_t i = 0; (b = board_at(i)); i++)
        printf("  %-12s %s\n", b->name, b->doc);
}

static void print_log_classes(void)
{
    for (int i = 0; i < LOG_N_CLASSES; i++)
        printf("  %-12s %s\n", log_class_name(i), log_class_doc(i));
}

static void print_devices(void)
{
    const struct device_type *t;
    for (size_t i = 0; (t = device_type_at(i)); i++)
        if (t->is_pluggable)
            printf("  %-20s %s\n", t->name, t->doc);
}

static void print_serials(void)
{
    const char *grammar, *doc;
    for (size_t i = 0; (grammar = console_grammar(i, &doc)); i++)
        printf("  %-32s %s\n", grammar, doc);
}

static void print_networks(void)
{
    const char *grammar;
    for (size_t i = 0; (grammar = netdev_grammar(i)); i++)
        printf("  %s\n", grammar);
}

static void print_properties(const struct device_type *t)
{
    static const char *const kinds[] = {
        [PROP_BOOL] = "on|off", [PROP_U64] = "N", [PROP_SIZE] = "SIZE", [PROP_STRING] = "TEXT"};
    printf("%s: %s\n", t->name, t->doc);
    for (const struct device_prop *p = t->props; p && p->name; p++)
        printf("  %s=%-8s %s%s%s%s\n", p->name, kinds[p->kind], p->doc,
               p->initial ? " (default: " : "", p->initial ? p->initial : "",
               p->initial ? ")" : "");
}

// "NAME,help"
static bool print_device_help(const char *text, struct err *e)
{
    char *name = strndup(text, strcspn(text, ","));
    const struct device_type *t = device_type_find(name);
    if (t && t->is_pluggable)
        print_properties(t);
    else
        run_no_device(name, e);
    free(name);
    return !err_is_set(e);
}

static bool asks(const char *text)
{
    return text && (!strcmp(text, "help") || !strcmp(text, "?"));
}

static bool ends_in_help(const char *text)
{
    const char *last = strrchr(text, ',');
    return last && asks(last + 1);
}

// "-drive help" and the like: what the option takes, as --help says it.
static bool grammar_help(const struct run_options *o)
{
    const struct {
        const char *name;
        const struct option_list *list;
    } lists[] = {{"drive", &o->drives}, {"nic", &o->nics}, {"chardev", &o->chardevs}};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (!lists[i].list->n || !asks(lists[i].list->texts[0]))
            continue;
        for (const struct option *p = run_option_table; !options_at_end(p); p++)
            if (p->kind == OPTION_LIST && !strcmp(p->name, lists[i].name))
                option_print(p, "-", stdout);
        return true;
    }
    return false;
}

static bool device_help(const struct option_list *devices, struct err *e)
{
    for (size_t i = 0; i < devices->n; i++) {
        if (asks(devices->texts[i])) {
            print_devices();
            return true;
        }
        if (ends_in_help(devices->texts[i]))
            return print_device_help(devices->texts[i], e);
    }
    return false;
}

bool run_help(const struct run_options *o, struct err *e)
{
    if (o->help)
        print_usage();
    else if (asks(o->machine))
        print_boards();
    else if (asks(o->cpu))
        cpu_option_help(stdout);
    else if (asks(o->log))
        print_log_classes();
    else if (o->accel && (asks(o->accel) || ends_in_help(o->accel)))
        accel_option_help(stdout);
    else if (o->serials.n && asks(o->serials.texts[0]))
        print_serials();
    else if (o->netdevs.n && asks(o->netdevs.texts[0]))
        print_networks();
    else if (!grammar_help(o))
        return device_help(&o->devices, e);
    return true;
}
