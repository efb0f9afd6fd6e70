// SPDX-License-Identifier: Apache-2.0
// Parts of the manual pages and of the shell completion, made from the program's own tables.
#pragma once

#include <stdio.h>

struct doc_part {
    const char *name;
    void (*write)(FILE *to); // in the midst of a line, or whole lines without the last newline
};

extern const struct doc_part man_parts[], bash_parts[]; // end with a NULL name

// An option in the usage text of guest_fetch.sh: "--arch", "ARCH" or nothing, and what it says.
struct fetch_option {
    char name[32], argument[64], text[1024];
};

// Calls `each` for every option in turn.
void fetch_options(void (*each)(const struct fetch_option *o, FILE *to), FILE *to);
