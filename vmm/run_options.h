// SPDX-License-Identifier: Apache-2.0
// What `lh run` was asked for: the words of the command line, and their meaning.
#pragma once

#include "base/err.h"
#include "base/log.h"
#include "vmm/options.h"

struct run_options {
#define GROUP(heading)
#define OPTION(field, name, other, argument, kind, values, doc, more) RUN_FIELD_##kind(field)
#define RUN_FIELD_FLAG(field)                                         bool field;
#define RUN_FIELD_TEXT(field)                                         const char *field;
#define RUN_FIELD_LIST(field)                                         struct option_list field;
#include "vmm/options.def"
#undef GROUP
#undef OPTION
#undef RUN_FIELD_FLAG
#undef RUN_FIELD_TEXT
#undef RUN_FIELD_LIST
};

extern const struct option run_option_table[];

// "1G", "512", "size=2048M": bytes, more than none.
bool run_memory_size(const char *text, u64 *bytes, struct err *e);
// "4", "cpus=4".
bool run_cpu_count(const char *text, unsigned *n, struct err *e);
// Classes of -d as bits of log.enabled.
bool run_log_classes(const char *text, u32 *enabled, struct err *e);
// "NAME" or "guest=NAME": the name within the text.
const char *run_name(const char *text);
