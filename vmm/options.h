// SPDX-License-Identifier: Apache-2.0
// Command-line options from a table, spelled as QEMU does: one dash or two, the value in the next
// word or behind '='.
#pragma once

#include "base/types.h"
#include "base/err.h"

#include <stdio.h>

enum option_kind { OPTION_GROUP, OPTION_FLAG, OPTION_TEXT, OPTION_LIST };

// Texts in the order given; they belong to argv.
struct option_list {
    const char **texts;
    size_t n;
};

struct option {
    enum option_kind kind;
    const char *name, *other_name; // of a group: its heading
    const char *argument;          // NULL for flags
    size_t offset;                 // of the bool, const char * or struct option_list
    const char *values;            // what completion offers (vmm/options.def)
    const char *doc, *more;        // more: NULL if `doc` says it all
};

// The table ends with kind GROUP and a NULL name.
#define options_at_end(o) ((o)->kind == OPTION_GROUP && !(o)->name)

// Fills `into` from argv; a word that is no option, or that follows "--", is given to the TEXT
// option named `positional`, which then must not be given otherwise. False with a message that
// names the nearest option.
bool options_parse(const struct option *table, const char *positional, int argc, char **argv,
                   void *into, struct err *e);
void options_free(const struct option *table, void *into);

// The list for a person, and one line of it. `dashes`: how the names of more than a letter are shown;
// either way is understood.
void options_print(const struct option *table, const char *dashes, FILE *to);
void option_print(const struct option *o, const char *dashes, FILE *to);

// The one of `names` (ends with NULL) that is most alike, or NULL if none is.
const char *nearest_name(const char *word, const char *const *names);

// Appends to a message "; did you mean X?", or "; REMEDY" if nothing is alike. Returns false.
bool err_suggest(struct err *e, const char *word, const char *const *names, const char *remedy);
