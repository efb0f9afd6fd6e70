// SPDX-License-Identifier: Apache-2.0
// What `lh cell COMMAND` was told.
#pragma once

#include "vmm/options.h"

#define CELL_FIELD_FLAG(field) bool field;
#define CELL_FIELD_TEXT(field) const char *field;

struct cell_options {
#define GROUP(heading)
#define OPTION(field, name, other, argument, kind, values, doc, more) CELL_FIELD_##kind(field)
#include "vmm/cell_options.def"
#undef GROUP
#undef OPTION
};

extern const struct option cell_option_table[];
