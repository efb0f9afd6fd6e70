// SPDX-License-Identifier: Apache-2.0
// -accel NAME[,PROPERTY=VALUE]...
#pragma once

#include "base/err.h"
#include "jit/jit.h"

#include <stdio.h>

enum accel_kind { ACCEL_DEFAULT, ACCEL_JIT, ACCEL_INTERP, ACCEL_KVM };

// What -accel may name; ends with a NULL name.
struct accel_doc {
    const char *name, *doc;
    enum accel_kind kind;
};
extern const struct accel_doc accel_docs[];

// What may follow `jit`; ends with a NULL name. The first may follow `interp` as well. Of two
// values one is written; numbers have none.
struct accel_property {
    const char *name, *doc;
    const char *values[2];
};
extern const struct accel_property accel_jit_properties[];

struct accel_option {
    enum accel_kind kind; // ACCEL_DEFAULT: none was named
    bool exact_links;     // of `jit` and `interp`: cpu/loongarch64/links.h
    struct jit_options jit;
};

// `text` may be NULL. False with a message that names the option.
bool accel_option_parse(const char *text, struct accel_option *to, struct err *e);
void accel_option_help(FILE *to);
