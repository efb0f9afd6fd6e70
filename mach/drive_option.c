// SPDX-License-Identifier: Apache-2.0
#include "mach/drive_option.h"

#include "base/option.h"

#include <stdlib.h>
#include <string.h>

static bool set_interface(struct drive_option *d, const char *value, struct err *e)
{
    static const char *const names[] = {
        [DRIVE_VIRTIO] = "virtio", [DRIVE_PFLASH] = "pflash", [DRIVE_NONE] = "none"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!strcmp(value, names[i])) {
            d->interface = (enum drive_interface)i;
            return true;
        }
    }
    return err_set(e, "if=%s: there are virtio, pflash and none", value);
}

static bool set_unit(struct drive_option *d, const char *value, struct err *e)
{
    char *end;
    unsigned long n = strtoul(value, &end, 10);
    if (end == value || *end || n > 1000)
        return err_set(e, "unit=%s: not a number", value);
    d->unit = (int)n;
    return true;
}

// Words that change nothing, because there is only one choice.
static bool must_be(const char *name, const char *value, const char *only, struct err *e)
{
    return !strcmp(value, only) || err_set(e, "%s=%s: there is only %s", name, value, only);
}

// Ids are put into other texts, so they have to be plain.
static bool set_id(struct drive_option *d, const char *value, struct err *e)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    d->id = value;
    size_t n = strlen(value);
    return (n > 0 && n <= DRIVE_ID_MAX && strspn(value, plain) == n) ||
           err_set(e, "id=%s: has to be 1 to %d letters, digits, '-', '.' or '_'", value,
                   DRIVE_ID_MAX);
}

static bool set(struct drive_option *d, const char *name, const char *value, struct err *e)
{
    if (!strcmp(name, "file"))
        d->file = value;
    else if (!strcmp(name, "id"))
        return set_id(d, value, e);
    else if (!strcmp(name, "if"))
        return set_interface(d, value, e);
    else if (!strcmp(name, "unit") || !strcmp(name, "index"))
        return set_unit(d, value, e);
    else if (!strcmp(name, "readonly") || !strcmp(name, "read-only"))
        return option_bool(name, value, &d->is_readonly, e);
    else if (!strcmp(name, "format"))
        return must_be(name, value, "raw", e);
    else if (!strcmp(name, "media"))
        return must_be(name, value, "disk", e);
    else
        return err_set(e,
                       "there is no option '%s'; there are: file, if, format, id, unit, "
                       "readonly, media",
                       name);
    return true;
}

bool drive_option_parse(struct drive_option *d, char *text, struct err *e)
{
    *d = (struct drive_option){.unit = -1};
    for (char *rest = text; rest;) {
        char *name = option_next(&rest), *value = option_value(name);
        if (!set(d, name, value, e))
            return false;
    }
    if (!d->file || !*d->file)
        return err_set(e, "file= is missing");
    return true;
}
