// SPDX-License-Identifier: Apache-2.0
#include "mach/boot_image.h"

#include "base/bits.h"
#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Zeros are written in pieces of this size.
#define ZEROS_SIZE 0x10000

struct range_text {
    char text[48];
};

static struct range_text range(u64 base, u64 size)
{
    struct range_text r;
    snprintf(r.text, sizeof(r.text), "0x%llx-0x%llx", (unsigned long long)base,
             (unsigned long long)(base + size - 1));
    return r;
}

static bool is_ram(const struct mem_space *m, u64 base, u64 size)
{
    for (unsigned i = 0; i < m->n_ram; i++)
        if (base >= m->ram[i].base && base - m->ram[i].base < m->ram[i].size &&
            size <= m->ram[i].size - (base - m->ram[i].base))
            return true;
    return false;
}

static const char *remedy_of(const struct boot_piece *p)
{
    return p->remedy ? p->remedy : "";
}

// "0x0-0xfffffff and 0x80000000-0xbfffffff"
static void describe_ram(const struct mem_space *m, char *text, size_t size)
{
    size_t n = 0;
    text[0] = 0;
    for (unsigned i = 0; i < m->n_ram && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%s", i ? " and " : "",
                              range(m->ram[i].base, m->ram[i].size).text);
}

static bool check_ram(const struct mem_space *m, const struct boot_piece *p, struct err *e)
{
    if (is_ram(m, p->base, p->size))
        return true;
    char ram[160];
    describe_ram(m, ram, sizeof(ram));
    return err_set(e, "%s: %s is not in RAM, which is %s%s%s", p->name,
                   range(p->base, p->size).text, ram, p->remedy ? "; " : "", remedy_of(p));
}

static bool overlap(const struct boot_piece *a, const struct boot_piece *b)
{
    return a->base < b->base + b->size && b->base < a->base + a->size;
}

static bool check_overlaps(const struct boot_image *b, const struct boot_piece *p, struct err *e)
{
    for (unsigned i = 0; i < b->n_pieces; i++) {
        const struct boot_piece *q = &b->pieces[i];
        if (overlap(p, q))
            return err_set(e, "%s: %s overlaps %s of %s%s%s", p->name, range(p->base, p->size).text,
                           range(q->base, q->size).text, q->name, p->remedy ? "; " : "",
                           remedy_of(p));
    }
    return true;
}

bool boot_image_add(struct boot_image *b, const struct mem_space *m, const struct boot_piece *p,
                    struct err *e)
{
    BUG_ON(!p->size || p->data_size > p->size);
    if (b->n_pieces == BOOT_MAX_PIECES)
        return err_set(e, "%s: there are more than %d pieces to load", p->name, BOOT_MAX_PIECES);
    if (!check_ram(m, p, e) || !check_overlaps(b, p, e))
        return false;
    unsigned at = b->n_pieces++;
    for (; at > 0 && b->pieces[at - 1].base > p->base; at--)
        b->pieces[at] = b->pieces[at - 1];
    b->pieces[at] = *p;
    b->pieces[at].name = strdup(p->name);
    BUG_ON(!b->pieces[at].name);
    return true;
}

// The highest place in a gap without pieces.
static bool fits(u64 first, u64 end, u64 size, u64 alignment, u64 *base)
{
    if (end < size || end - size < first)
        return false;
    *base = align_down(end - size, alignment);
    return *base >= first;
}

bool boot_image_find_space(const struct boot_image *b, u64 first, u64 end, u64 size, u64 alignment,
                           u64 *base)
{
    for (unsigned i = b->n_pieces; i-- > 0;) {
        const struct boot_piece *p = &b->pieces[i];
        u64 piece_end = p->base + p->size;
        if (p->base >= end || piece_end <= first)
            continue;
        if (fits(piece_end, end, size, alignment, base))
            return true;
        end = p->base;
    }
    return end > first && fits(first, end, size, alignment, base);
}

static void must(bool ok)
{
    BUG_ON(!ok); // boot_image_add has seen that it is RAM
}

static void load_zeros(struct mem_space *m, const struct boot_piece *p)
{
    static const u8 zeros[ZEROS_SIZE];
    struct err e = {0};
    u64 n;
    for (u64 at = p->data_size; at < p->size; at += n) {
        n = p->size - at < ZEROS_SIZE ? p->size - at : ZEROS_SIZE;
        must(mem_load(m, p->base + at, zeros, n, p->name, &e));
    }
}

void boot_image_load(const struct boot_image *b, struct mem_space *m)
{
    struct err e = {0};
    for (unsigned i = 0; i < b->n_pieces; i++) {
        const struct boot_piece *p = &b->pieces[i];
        log_at(m->log, LOG_BOOT, "%s %s", range(p->base, p->size).text, p->name);
        if (p->data_size)
            must(mem_load(m, p->base, p->data, p->data_size, p->name, &e));
        load_zeros(m, p);
    }
}

void boot_image_free(struct boot_image *b)
{
    for (unsigned i = 0; i < b->n_pieces; i++)
        free(b->pieces[i].name);
    *b = (struct boot_image){0};
}
