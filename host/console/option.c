// SPDX-License-Identifier: Apache-2.0
// Options of a back end: "PATH,server,wait=off".
#include "host/console/backend.h"

#include <string.h>

char *console_next_option(char **rest)
{
    char *option = *rest, *to = option, *from = option;
    if (!option)
        return NULL;
    while (*from && (*from != ',' || from[1] == ',')) {
        from += *from == ',';
        *to++ = *from++;
    }
    *rest = *from ? from + 1 : NULL;
    *to = 0;
    return option;
}

bool console_option_flag(const char *option, const char *name, bool *flag)
{
    size_t n = strlen(name);
    if (strncmp(option, name, n))
        return false;
    if (!option[n] || !strcmp(option + n, "=on"))
        *flag = true;
    else if (!strcmp(option + n, "=off"))
        *flag = false;
    else
        return false;
    return true;
}
