// SPDX-License-Identifier: Apache-2.0
// Commands about addresses: what is behind one, and what is there.
#include "vmm/monitor_command.h"
#include "dev/pci_bus.h"
#include "mem/place.h"

#include <ctype.h>
#include <string.h>

// The function whose BAR answers; the PCI memory windows are not translated.
static void add_bar(struct monitor_call *c, gpa_t gpa)
{
    const struct pci_bus *bus = c->machine->env.pci;
    const struct pci_decodes *d = bus ? &bus->mem_decodes : NULL;
    for (unsigned i = 0; d && i < d->n; i++)
        if (gpa >= d->list[i].first && gpa <= d->list[i].last) {
            text_add(c->to, ": BAR %u of %s in PCI slot %x.%x, offset 0x%llx", d->list[i].bar,
                     d->list[i].device->d.type->name, d->list[i].device->devfn >> 3,
                     d->list[i].device->devfn & 7, (unsigned long long)(gpa - d->list[i].first));
            return;
        }
}

// "RAM 0x80000000-0x8fffffff, offset 0x1000"
static void add_place(struct monitor_call *c, gpa_t gpa)
{
    struct mem_place p;
    mem_lock(&c->machine->mem);
    if (mem_place_at(&c->machine->mem, gpa, &p)) {
        text_add(c->to, "%s%s 0x%llx-0x%llx, offset 0x%llx", p.is_ram ? "" : "device ", p.name,
                 (unsigned long long)p.first, (unsigned long long)p.last,
                 (unsigned long long)(gpa - p.first));
        if (!p.is_ram)
            add_bar(c, gpa);
        if (p.is_direct)
            text_add(c->to, ", reads as memory");
    } else {
        text_add(c->to, "nothing: reads give all ones, writes are lost");
    }
    mem_unlock(&c->machine->mem);
}

static bool explain_word(struct monitor_call *c, unsigned *at, struct cpu_question *q,
                         const struct cpu_inspect *i, struct err *e)
{
    static const char *const accesses[] = {"load", "store", "fetch"};
    const char *word = c->words.word[*at];
    u64 n;
    for (unsigned a = 0; a < ARRAY_LEN(accesses); a++)
        if (!strcmp(word, accesses[a])) {
            q->access = (enum cpu_access)a;
            return true;
        }
    if (!strcmp(word, "guest") || !strcmp(word, "root")) {
        q->mode = *word == 'g' ? CPU_MODE_GUEST : CPU_MODE_ROOT;
        return true;
    }
    if (strcmp(word, "plv") || *at + 1 == c->words.n)
        return err_set(e, "'%.60s' is none of: plv N, guest, root, fetch, load, store", word);
    if (!monitor_count(c->words.word[++*at], i->max_plv, "a privilege level", &n, e))
        return false;
    q->plv = (unsigned)n;
    return true;
}

bool monitor_explain(struct monitor_call *c, struct err *e)
{
    const struct cpu_inspect *i = monitor_inspect(c, e);
    struct cpu_question q = {.plv = CPU_PLV_NOW};
    u64 bus;
    if (!i || !monitor_address(c, 1, &q.address, e))
        return false;
    for (unsigned at = 2; at < c->words.n; at++)
        if (!explain_word(c, &at, &q, i, e))
            return false;
    if (!i->check(monitor_cpu(c), &q, e))
        return false;
    text_add(c->to, "cpu %u, ", *c->cpu);
    if (i->explain(monitor_cpu(c), &q, c->to, &bus)) {
        text_add(c->to, "there: ");
        add_place(c, bus);
        text_add(c->to, "\n");
    }
    return true;
}

// A dump: addresses that are virtual or not, shown in units.
struct dump {
    struct monitor_call *call;
    const struct cpu_inspect *inspect;
    bool is_virtual;
    u64 page, bus; // the page that was translated last, and where it is
    bool has_page;
    struct err *e;
};

#define PAGE_SIZE 4096

static bool translate(struct dump *d, u64 address, u64 *bus)
{
    struct cpu_question q = {.address = address & ~(u64)(PAGE_SIZE - 1), .plv = CPU_PLV_NOW};
    struct cpu *cpu = monitor_cpu(d->call);
    *bus = address;
    if (!d->is_virtual)
        return true;
    if (!d->has_page || d->page != q.address) {
        d->page = q.address;
        d->has_page = d->inspect->find(cpu, &q, &d->bus);
    }
    *bus = d->bus + (address - d->page);
    return d->has_page || err_set(d->e, "0x%llx cannot be reached; 'explain 0x%llx' tells why",
                                  (unsigned long long)address, (unsigned long long)address);
}

static bool not_memory(struct dump *d, u64 bus)
{
    struct text place = {0};
    struct monitor_call c = *d->call;
    c.to = &place;
    add_place(&c, bus);
    err_set(d->e, "physical address 0x%llx is not memory: %s", (unsigned long long)bus,
            text_string(&place));
    text_free(&place);
    return false;
}

static bool read_bytes(struct dump *d, u64 address, u8 *bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        u64 bus;
        if (!translate(d, address + i, &bus))
            return false;
        if (!mem_peek(&d->call->machine->mem, bus, &bytes[i], 1))
            return not_memory(d, bus);
    }
    return true;
}

static u64 number_of(const u8 *bytes, unsigned n)
{
    u64 value = 0;
    for (unsigned i = n; i--;)
        value = value << 8 | bytes[i];
    return value;
}

static void show_unit(struct text *to, const struct monitor_format *f, const u8 *bytes)
{
    static const int digits[] = {[1] = 3, [2] = 6, [4] = 11, [8] = 22};
    u64 value = number_of(bytes, f->size);
    unsigned shift = 64 - 8 * f->size;
    switch (f->format) {
    case 'd':
        text_add(to, " %*lld", digits[f->size] + 1, (long long)(value << shift) >> shift);
        break;
    case 'u': text_add(to, " %*llu", digits[f->size], (unsigned long long)value); break;
    case 'o': text_add(to, " 0%0*llo", digits[f->size], (unsigned long long)value); break;
    case 'c':
        for (unsigned i = 0; i < f->size; i++)
            text_add(to, "%c", isprint(bytes[i]) ? bytes[i] : '.');
        break;
    default: text_add(to, " 0x%0*llx", 2 * (int)f->size, (unsigned long long)value); break;
    }
}

static bool show_numbers(struct dump *d, u64 address, const struct monitor_format *f)
{
    struct text *to = d->call->to;
    unsigned per_line = f->format == 'c' ? 64 / f->size : 16 / f->size;
    for (unsigned i = 0; i < f->count; i++, address += f->size) {
        u8 bytes[8];
        bool begins = i % per_line == 0;
        if (!read_bytes(d, address, bytes, f->size)) {
            text_add(to, "%s", begins ? "" : "\n");
            return false;
        }
        if (begins)
            text_add(to, "%016llx:%s", (unsigned long long)address, f->format == 'c' ? " " : "");
        show_unit(to, f, bytes);
        text_add(to, "%s", i % per_line == per_line - 1 || i + 1 == f->count ? "\n" : "");
    }
    return true;
}

static bool show_instructions(struct dump *d, u64 address, unsigned count)
{
    char text[128];
    u8 bytes[16];
    unsigned size = d->inspect->insn_size;
    u64 pc = d->inspect->pc(monitor_cpu(d->call));
    for (unsigned i = 0; i < count; i++, address += size) {
        if (!read_bytes(d, address, bytes, size))
            return false;
        d->inspect->disassemble(bytes, address, text, sizeof(text));
        text_add(d->call->to, "%s%016llx: %0*llx  %s\n",
                 d->is_virtual && address == pc ? "> " : "  ", (unsigned long long)address,
                 2 * (int)size, (unsigned long long)number_of(bytes, size), text);
    }
    return true;
}

// `is_virtual` or for instructions it takes somebody who knows the processor.
static bool dump_begin(struct dump *d, struct monitor_call *c, bool is_virtual, struct err *e)
{
    *d = (struct dump){.call = c, .is_virtual = is_virtual, .e = e};
    d->inspect = monitor_inspect(c, e);
    return d->inspect;
}

static bool show_memory(struct monitor_call *c, bool is_virtual, struct err *e)
{
    struct monitor_format f = {.count = 1, .format = 'x'};
    struct dump d;
    u64 address;
    bool has_format = c->words.word[1][0] == '/';
    if (has_format != (c->words.n == 3))
        return err_set(e, "write: %s [/8xg] ADDRESS, as in %s/8xg $sp", c->words.word[0],
                       c->words.word[0]);
    if (!dump_begin(&d, c, is_virtual, e) ||
        (has_format && !monitor_format_parse(c->words.word[1], &f, e)) ||
        !monitor_address(c, c->words.n - 1, &address, e))
        return false;
    if (!f.size)
        f.size = f.format == 'c' ? 1 : 8;
    return f.format == 'i' ? show_instructions(&d, address, f.count)
                           : show_numbers(&d, address, &f);
}

bool monitor_x(struct monitor_call *c, struct err *e)
{
    return show_memory(c, true, e);
}

bool monitor_xp(struct monitor_call *c, struct err *e)
{
    return show_memory(c, false, e);
}

bool monitor_disassemble(struct monitor_call *c, struct err *e)
{
    struct dump d;
    u64 count = 10, address;
    if (!dump_begin(&d, c, true, e) ||
        (c->words.n > 2 &&
         !monitor_count(c->words.word[2], MONITOR_MAX_FORMAT, "a count", &count, e)))
        return false;
    address = d.inspect->pc(monitor_cpu(c));
    return (c->words.n == 1 || monitor_address(c, 1, &address, e)) &&
           show_instructions(&d, address, (unsigned)count);
}
