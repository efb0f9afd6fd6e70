// SPDX-License-Identifier: Apache-2.0
// lh: one program, one verb each.
#include "vmm/options.h"
#include "vmm/run.h"

#include <stdio.h>
#include <string.h>

static int version_main(int argc, char **argv)
{
    printf("lh (Longhouse) %s\n", LH_VERSION);
    return 0;
}

static int help_main(int argc, char **argv);

static const struct verb {
    const char *name, *doc;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"run", "run a machine", run_main},
    {"version", "show the version", version_main},
    {"help", "show this list", help_main},
};

static int help_main(int argc, char **argv)
{
    printf("Usage: lh VERB [OPTION]...\n\n");
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        printf("  %-10s %s\n", verbs[i].name, verbs[i].doc);
    printf("\n'lh VERB --help' tells more.\n");
    return 0;
}

static int unknown_verb(const char *word)
{
    const char *names[ARRAY_LEN(verbs) + 1] = {NULL};
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        names[i] = verbs[i].name;
    const char *nearest = nearest_name(word, names);
    fprintf(stderr, "lh: no verb '%s'; %s%s\n", word,
            nearest ? "did you mean lh " : "lh help lists them", nearest ? nearest : "");
    return 1;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "help";
    if (!strcmp(word, "--help") || !strcmp(word, "-h"))
        word = "help";
    if (!strcmp(word, "--version"))
        word = "version";
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (!strcmp(verbs[i].name, word))
            return verbs[i].run(argc - 2, argv + 2);
    return unknown_verb(word);
}
