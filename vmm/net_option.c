// SPDX-License-Identifier: Apache-2.0
#include "vmm/net_option.h"
#include "base/bug.h"
#include "base/option.h"
#include "vmm/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const types[] = {"user", "tap", "none", NULL};

static bool is_type(const char *name)
{
    for (size_t i = 0; types[i]; i++)
        if (!strcmp(types[i], name))
            return true;
    return false;
}

static bool is_of_card(const char *option)
{
    static const char *const names[] = {"mac", "addr"};
    size_t n = strcspn(option, "=");
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strlen(names[i]) == n && !strncmp(names[i], option, n))
            return true;
    return false;
}

// One more option of a text that is taken apart at commas again: commas within it are doubled.
static void add_option(FILE *to, const char *option)
{
    fputc(',', to);
    for (; *option; option++) {
        if (*option == ',')
            fputc(',', to);
        fputc(*option, to);
    }
}

static const char *find_model(char *options)
{
    const char *model = NIC_MODEL;
    for (char *rest = options; rest;) {
        const char *option = option_next(&rest);
        if (!strncmp(option, "model=", 6))
            model = option + 6;
    }
    return model;
}

static void write_texts(char *options, FILE *netdev, FILE *device)
{
    for (char *rest = options; rest;) {
        const char *option = option_next(&rest);
        if (*option && strncmp(option, "model=", 6))
            add_option(is_of_card(option) ? device : netdev, option);
    }
}

static char *copy(const char *text)
{
    char *c = strdup(text);
    BUG_ON(!c);
    return c;
}

// `options` is what follows the type, or NULL.
static void expand(const char *type, const char *options, unsigned index, struct nic_texts *to)
{
    size_t size;
    FILE *netdev = open_memstream(&to->netdev, &size), *device = open_memstream(&to->device, &size);
    BUG_ON(!netdev || !device);
    char *for_model = copy(options ? options : ""), *words = copy(options ? options : "");
    fprintf(netdev, "%s,id=nic%u", type, index);
    fprintf(device, "%s,netdev=nic%u", find_model(for_model), index);
    write_texts(words, netdev, device);
    free(for_model);
    free(words);
    fclose(netdev);
    fclose(device);
}

bool nic_option_expand(const char *text, unsigned index, struct nic_texts *to, struct err *e)
{
    *to = (struct nic_texts){0};
    char *type = copy(text), *rest = type;
    option_next(&rest);
    if (!is_type(type)) {
        err_set(e, "'%s': no such network", text);
        err_suggest(e, type, types, "there are user, tap and none");
    } else if (strcmp(type, "none") != 0) {
        expand(type, rest, index, to);
    } else if (rest) {
        err_set(e, "'%s': none takes no options", text);
    }
    free(type);
    return !err_is_set(e);
}

void nic_texts_free(struct nic_texts *t)
{
    free(t->netdev);
    free(t->device);
    *t = (struct nic_texts){0};
}
