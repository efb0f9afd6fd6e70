// SPDX-License-Identifier: Apache-2.0
// `lh VERB ARGUMENT...`: each verb gets what follows its name and returns the exit status.
#pragma once

#define VERB(name, function, arguments, doc) int function(int argc, char **argv);
#include "vmm/verbs.def"
#undef VERB

struct verb {
    const char *name, *arguments, *doc;
    int (*run)(int argc, char **argv);
};

extern const struct verb verbs[]; // ends with a NULL name

// Runs the verb that argv[1] names.
int verbs_main(int argc, char **argv);
