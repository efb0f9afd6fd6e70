// SPDX-License-Identifier: Apache-2.0
#include "host/block/drive.h"
#include "host/block/block.h"
#include "base/bug.h"
#include "base/option.h"

#include <stdlib.h>
#include <string.h>

// What was written, before anything is opened.
struct request {
    const char *file, *id, *serial, *format;
    unsigned interface;
    int unit;
    bool is_readonly;
    unsigned cache, discard;
};

enum { CACHE_WRITEBACK, CACHE_UNSAFE };
enum { DISCARD_UNMAP, DISCARD_IGNORE };

const char *drive_grammar(void)
{
    return "file=PATH[,id=ID][,if=none|virtio|pflash][,format=raw][,readonly=on|off][,unit=N]"
           "[,cache=writeback|unsafe][,discard=unmap|ignore][,serial=TEXT]";
}

// The position of `value` in a list of words.
static bool choose(const char *name, const char *value, const char *const *words, unsigned *to,
                   struct err *e)
{
    for (unsigned i = 0; words[i]; i++) {
        if (!strcmp(words[i], value)) {
            *to = i;
            return true;
        }
    }
    return err_set(e, "%s=%s is not there; see: %s", name, value, drive_grammar());
}

static bool set_unit(const char *value, int *to, struct err *e)
{
    char *end;
    long n = strtol(value, &end, 10);
    if (end == value || *end || n < 0 || n > 1)
        return err_set(e, "unit=%s: flash banks are 0 and 1", value);
    *to = (int)n;
    return true;
}

static bool set(struct request *r, const char *name, const char *value, struct err *e)
{
    static const char *const interfaces[] = {"none", "virtio", "pflash", NULL};
    static const char *const formats[] = {"raw", NULL}, *const medias[] = {"disk", NULL};
    static const char *const caches[] = {"writeback", "unsafe", NULL};
    static const char *const discards[] = {"unmap", "ignore", NULL};
    unsigned only;
    if (!strcmp(name, "file"))
        return (r->file = value) != NULL;
    if (!strcmp(name, "id"))
        return (r->id = value) != NULL;
    if (!strcmp(name, "serial"))
        return (r->serial = value) != NULL;
    if (!strcmp(name, "if"))
        return choose(name, value, interfaces, &r->interface, e);
    if (!strcmp(name, "format"))
        return choose(name, value, formats, &only, e);
    if (!strcmp(name, "media"))
        return choose(name, value, medias, &only, e);
    if (!strcmp(name, "cache"))
        return choose(name, value, caches, &r->cache, e);
    if (!strcmp(name, "discard"))
        return choose(name, value, discards, &r->discard, e);
    if (!strcmp(name, "unit"))
        return set_unit(value, &r->unit, e);
    if (!strcmp(name, "readonly") || !strcmp(name, "read-only"))
        return option_bool(name, value, &r->is_readonly, e);
    return err_set(e, "there is no '%s'; see: %s", name, drive_grammar());
}

static bool parse(struct request *r, char *text, struct err *e)
{
    for (char *rest = text; rest;) {
        char *name = option_next(&rest);
        char *value = option_value(name);
        if (!set(r, name, value, e))
            return false;
    }
    return r->file || err_set(e, "file= is missing");
}

static char *copy(const char *text)
{
    char *c = text ? strdup(text) : NULL;
    BUG_ON(text && !c);
    return c;
}

static bool open_request(struct drive *d, const struct request *r, struct err *e)
{
    struct block *b = block_open_raw(r->file, r->is_readonly, e);
    if (!b)
        return false;
    b->ignores_flush = r->cache == CACHE_UNSAFE;
    b->ignores_discard = r->discard == DISCARD_IGNORE;
    *d = (struct drive){.block = b,
                        .id = copy(r->id),
                        .serial = copy(r->serial),
                        .interface = (enum drive_interface)r->interface,
                        .unit = r->unit};
    return true;
}

bool drive_open(struct drive *d, const char *text, struct err *e)
{
    struct request r = {.unit = -1};
    char *words = copy(text);
    bool ok = parse(&r, words, e) && open_request(d, &r, e);
    if (!ok)
        err_context(e, "drive%s%s", r.id ? " " : "", r.id ? r.id : "");
    free(words);
    return ok;
}

void drive_free(struct drive *d)
{
    block_free(d->block);
    free(d->id);
    free(d->serial);
    *d = (struct drive){0};
}
