// SPDX-License-Identifier: Apache-2.0
#include "vmm/verbs.h"
#include "base/err.h"
#include "vmm/options.h"

#include <stdio.h>
#include <string.h>

enum { STATUS_OK = 0, STATUS_USER_ERROR = 1 };

const struct verb verbs[] = {
#define VERB(name, function, arguments, doc) {name, arguments, doc, function},
#include "vmm/verbs.def"
#undef VERB
    {0},
};

static const struct verb *find_verb(const char *name)
{
    for (const struct verb *v = verbs; v->name; v++)
        if (!strcmp(v->name, name))
            return v;
    return NULL;
}

static int unknown_verb(const char *word)
{
    struct err e = {0};
    const char *names[16] = {NULL};
    for (size_t i = 0; verbs[i].name && i + 1 < ARRAY_LEN(names); i++)
        names[i] = verbs[i].name;
    err_set(&e, "no verb '%s'", word);
    err_suggest(&e, word, names, "lh help lists them");
    fprintf(stderr, "lh: %s\n", e.text);
    return STATUS_USER_ERROR;
}

int version_main(int argc, char **argv)
{
    printf("lh (Longhouse) %s\n", LH_VERSION);
    return STATUS_OK;
}

static int run_verb(const struct verb *v, int argc, char **argv)
{
    bool wants_help = argc && (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h"));
    bool takes_nothing = !*v->arguments;
    if (takes_nothing && wants_help) {
        printf("Usage: lh %s\n%s.\n", v->name, v->doc);
        return STATUS_OK;
    }
    if (takes_nothing && argc) {
        fprintf(stderr, "lh %s: takes no arguments, '%s' is one\n", v->name, argv[0]);
        return STATUS_USER_ERROR;
    }
    return v->run(argc, argv);
}

static int list_verbs(void)
{
    printf("Usage: lh VERB [ARGUMENT]...\n\n");
    for (const struct verb *v = verbs; v->name; v++)
        printf("  %-8s %-22s %s\n", v->name, v->arguments, v->doc);
    printf("\n'lh VERB --help' tells more.\n");
    return STATUS_OK;
}

int help_main(int argc, char **argv)
{
    char *help[] = {"--help", NULL};
    if (!argc || argv[0][0] == '-')
        return list_verbs();
    const struct verb *v = find_verb(argv[0]);
    if (!v)
        return unknown_verb(argv[0]);
    return v->run == help_main ? list_verbs() : run_verb(v, 1, help);
}

int verbs_main(int argc, char **argv)
{
    if (argc < 2)
        return list_verbs();
    const char *word = argv[1];
    if (!strcmp(word, "--help") || !strcmp(word, "-h"))
        word = "help";
    if (!strcmp(word, "--version"))
        word = "version";
    const struct verb *v = find_verb(word);
    return v ? run_verb(v, argc - 2, argv + 2) : unknown_verb(word);
}
