// SPDX-License-Identifier: Apache-2.0
#include "base/option.h"

#include <string.h>

char *option_next(char **rest)
{
    char *option = *rest, *to = option;
    for (char *from = option;; from++) {
        if (*from == ',' && from[1] == ',') {
            from++;
        } else if (*from == ',' || !*from) {
            *rest = *from ? from + 1 : NULL;
            *to = 0;
            return option;
        }
        *to++ = *from;
    }
}

char *option_value(char *option)
{
    char *equals = strchr(option, '=');
    if (!equals)
        return (char *)(uintptr_t) "on";
    *equals = 0;
    return equals + 1;
}

bool option_bool(const char *name, const char *value, bool *to, struct err *e)
{
    static const char *const words[] = {"off", "no", "false", "on", "yes", "true"};
    for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
        if (!strcmp(value, words[i])) {
            *to = i >= 3;
            return true;
        }
    }
    return err_set(e, "%s=%s: only on and off are there", name, value);
}
