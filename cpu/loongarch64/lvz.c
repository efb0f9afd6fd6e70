// SPDX-License-Identifier: Apache-2.0
// The guest context of a processor and what makes a guest exit.
//
// The rule behind all of it: the guest's own context checks first, and what it refuses is the
// guest's own exception; only what passes is held against the root's second stage, EUEN and trap
// controls.
#include "cpu/loongarch64/state.h"

#include <stdlib.h>
#include <string.h>

// GSTAT, GCFG, GTLBC, GINTC
enum { GSTAT_PGM = 1 << 1 };
#define GCFG_SIT      BIT(7) // privileged instructions
#define GCFG_TIT      BIT(9)
#define GCFG_TOE      BIT(11) // exception entry and ertn
#define GCFG_TOP      BIT(13) // privilege level
#define GCFG_TORU     BIT(15)
#define GTLBC_USETGID BIT(12)
#define GTLBC_TOTI    BIT(13)
#define GTLBC_USEVMID BIT(14)

const struct la_lvz_property la_lvz_properties[] = {
#define LVZ_FLAG(field, name, initial, doc) \
    {name, doc, true, NULL, initial, 0, 1, offsetof(struct la_lvz, field)},
#define LVZ_NUMBER(field, name, initial, low, high, doc) \
    {name, doc, false, NULL, initial, low, high, offsetof(struct la_lvz, field)},
#define LVZ_WORD(field, name, words, doc) \
    {name, doc, false, words, 0, 0, 0, offsetof(struct la_lvz, field)},
#include "cpu/loongarch64/lvz_properties.def"
#undef LVZ_FLAG
#undef LVZ_NUMBER
#undef LVZ_WORD
    {0},
};

static void set_property(struct la_lvz *z, const struct la_lvz_property *p, u32 value)
{
    void *field = (u8 *)z + p->offset;
    if (p->is_flag)
        *(bool *)field = value;
    else
        *(u32 *)field = value;
}

void la_lvz_init(struct la_lvz *z)
{
    for (const struct la_lvz_property *p = la_lvz_properties; p->name; p++)
        set_property(z, p, p->initial);
}

static bool parse_word(const char *words, const char *text, u32 *value)
{
    size_t n = strlen(text);
    for (*value = 0;; ++*value) {
        size_t k = strcspn(words, "|");
        if (k == n && !memcmp(words, text, n))
            return true;
        if (!words[k])
            return false;
        words += k + 1;
    }
}

static bool parse_value(const struct la_lvz_property *p, const char *text, u32 *value)
{
    if (p->is_flag) {
        *value = !strcmp(text, "on");
        return *value || !strcmp(text, "off");
    }
    if (p->words)
        return parse_word(p->words, text, value);
    char *end;
    unsigned long n = strtoul(text, &end, 0);
    *value = (u32)n;
    return end != text && !*end && n >= p->low && n <= p->high;
}

static const struct la_lvz_property *find_property(const char *name)
{
    for (const struct la_lvz_property *p = la_lvz_properties; p->name; p++)
        if (!strcmp(p->name, name))
            return p;
    return NULL;
}

bool la_lvz_set_property(struct la_cpu *c, const char *name, const char *text, struct err *e)
{
    const struct la_lvz_property *p = find_property(name);
    u32 value;
    if (!p)
        return err_set(e, "no CPU property '%s'", name);
    if (!parse_value(p, text, &value)) {
        if (p->is_flag)
            return err_set(e, "%s=%s: write %s=on or %s=off", name, text, name, name);
        if (p->words)
            return err_set(e, "%s=%s: write one of %s", name, text, p->words);
        return err_set(e, "%s=%s: not a number from %u to %u", name, text, p->low, p->high);
    }
    if (c) {
        set_property(&c->lvz, p, value);
        la_lvz_reset(c);
    }
    return true;
}

bool la_has_lvz(const struct la_cpu *c)
{
    return c->cpucfg[2] & BIT(10);
}

void la_lvz_reset(struct la_cpu *c)
{
    const struct la_lvz *z = &c->lvz;
    bool lvz = la_has_lvz(c);
    u64 capabilities = BITS(2, 0) | BITS(18, 16); // MATP and GCIP: every value of MATC and GCI
    capabilities |= z->sitp ? BIT(6) : 0;
    capabilities |= z->titp ? BIT(8) : 0;
    capabilities |= z->toep ? BIT(10) : 0;
    capabilities |= z->topp ? BIT(12) : 0;
    capabilities |= z->torup ? BIT(14) : 0;
    c->root.csr[CSR_GCFG] = lvz ? capabilities : 0;
    c->root.csr[CSR_GSTAT] = lvz ? (u64)z->gidbits << 4 : 0;
    c->root.csr[CSR_GTLBC] = lvz ? z->gmtlb : 0;
    c->guest.csr[CSR_CPUID] = z->guest_cpuid ? c->cpu.index : 0;
}

u64 la_gcfg_controls(const struct la_cpu *c)
{
    const struct la_lvz *z = &c->lvz;
    u64 controls = BITS(5, 4) | BITS(21, 20);
    controls |= z->sitp ? GCFG_SIT : 0;
    controls |= z->titp ? GCFG_TIT : 0;
    controls |= z->toep ? GCFG_TOE : 0;
    controls |= z->topp ? GCFG_TOP : 0;
    controls |= z->torup ? GCFG_TORU : 0;
    return controls;
}

// Of an id, in GSTAT as in GTLBC.
static u64 gid_field(const struct la_cpu *c)
{
    return BITS(15 + (c->lvz.gid_kept ? 8 : c->lvz.gidbits), 16);
}

unsigned la_gid_of(const struct la_cpu *c, u64 value)
{
    u64 gid = bits_get(value, 23, 16);
    return (unsigned)(c->lvz.gid_kept ? gid & BITS(c->lvz.gidbits - 1, 0) : gid);
}

u64 la_gstat_controls(const struct la_cpu *c)
{
    return GSTAT_PGM | gid_field(c);
}

u64 la_gtlbc_controls(const struct la_cpu *c, u64 new_value)
{
    u64 gid = new_value & GTLBC_USETGID ? gid_field(c) : 0;
    return BITS(5, 0) | GTLBC_USETGID | GTLBC_TOTI | (c->lvz.usevmid ? GTLBC_USEVMID : 0) | gid;
}

void la_switch_context(struct la_cpu *c, struct la_context *x)
{
    c->context = x;
    c->csr = x->csr;
    la_units_changed(c);
    la_mmu_mode_changed(c);
    if (c->lvz.timer_stops)
        la_timer_context_changed(c);
}

unsigned la_guest_gid(const struct la_cpu *c)
{
    return la_gid_of(c, c->root.csr[CSR_GSTAT]);
}

unsigned la_second_stage_gid(const struct la_cpu *c)
{
    u64 gtlbc = c->root.csr[CSR_GTLBC];
    return gtlbc & GTLBC_USEVMID ? la_gid_of(c, gtlbc) : la_guest_gid(c);
}

void la_gtlbc_changed(struct la_cpu *c, u64 old)
{
    u64 new_value = c->root.csr[CSR_GTLBC];
    // The id of the second stage is in nothing that is cached.
    if ((old | new_value) & GTLBC_USEVMID && old != new_value)
        la_mmu_flush(c);
    if (c->lvz.gmtlb_counts)
        la_tlb_limit_guests(c);
}

unsigned la_effective_gid(const struct la_cpu *c)
{
    u64 gtlbc = c->root.csr[CSR_GTLBC];
    if (la_in_guest(c))
        return la_guest_gid(c);
    if (gtlbc & GTLBC_USETGID)
        return la_gid_of(c, gtlbc);
    return c->root.csr[CSR_GSTAT] & GSTAT_PGM ? la_guest_gid(c) : 0;
}

// An injected line with its HC bit set lasts no longer than the physical line is up: this serves
// each of the three known readings of that field in its intended use.
static u64 injected(struct la_cpu *c, u32 lines)
{
    u64 *gintc = &c->root.csr[CSR_GINTC];
    if (!c->lvz.hwic_plain)
        *gintc &= ~(bits_get(*gintc, 23, 16) & ~bits_get(lines, 9, 2));
    return *gintc & 0xff;
}

void la_gintc_written(struct la_cpu *c)
{
    u64 *gintc = &c->root.csr[CSR_GINTC];
    if (c->lvz.hwic_clears)
        *gintc &= ~(bits_get(*gintc, 23, 16) | BITS(23, 16));
}

u64 la_guest_hwi(struct la_cpu *c, u32 lines)
{
    u64 passed = bits_get(c->root.csr[CSR_GINTC], 15, 8) & bits_get(lines, 9, 2);
    la_lvz_count_passed(c, (u8)passed);
    return (injected(c, lines) | passed) << LINE_HWI0;
}

u32 la_root_lines(const struct la_cpu *c, u32 lines)
{
    u64 gintc = c->root.csr[CSR_GINTC];
    u64 hidden = c->lvz.hwip_shared ? 0 : bits_get(gintc, 15, 8);
    if (!c->lvz.hwic_plain)
        hidden |= bits_get(gintc, 23, 16) & gintc;
    return lines & ~(u32)((hidden & 0xff) << LINE_HWI0);
}

static _Noreturn void exit_sensitive(struct la_cpu *c)
{
    la_raise_root(c, EXC_GSPR, 0);
}

bool la_traps_privileged(const struct la_cpu *c)
{
    return la_in_guest(c) && c->root.csr[CSR_GCFG] & GCFG_SIT;
}

void la_trap_privileged(struct la_cpu *c)
{
    if (la_plv(c))
        la_raise(c, EXC_IPE);
    if (la_traps_privileged(c))
        exit_sensitive(c);
}

void la_trap_sensitive(struct la_cpu *c)
{
    if (la_in_guest(c))
        exit_sensitive(c);
}

void la_refuse_guest(struct la_cpu *c)
{
    if (la_in_guest(c) && c->lvz.root_insn_ine)
        la_raise(c, EXC_INE);
    la_trap_sensitive(c);
}

void la_trap_timer(struct la_cpu *c)
{
    if (la_in_guest(c) && c->root.csr[CSR_GCFG] & GCFG_TIT)
        exit_sensitive(c);
}

void la_trap_barrier(struct la_cpu *c)
{
    if (la_in_guest(c) && c->lvz.barriers_exit)
        exit_sensitive(c);
}

void la_trap_tlb(struct la_cpu *c)
{
    if (la_in_guest(c) && c->root.csr[CSR_GTLBC] & GTLBC_TOTI)
        exit_sensitive(c);
}

// GCI 0: all trap. 1: all but Hit. 2: all but Hit and Index-Writeback-Invalidate.
void la_trap_cacop(struct la_cpu *c, unsigned op)
{
    unsigned kind = op >> 3, gci = (unsigned)bits_get(c->root.csr[CSR_GCFG], 21, 20);
    bool runs = (gci >= 1 && kind == 2) || (gci >= 2 && kind == 1);
    if (la_in_guest(c) && !runs)
        exit_sensitive(c);
}

bool la_traps_guest_exceptions(const struct la_cpu *c)
{
    return la_in_guest(c) && c->root.csr[CSR_GCFG] & GCFG_TOE;
}

// Before the register changes: software may let it happen or not.
void la_trap_level_change(struct la_cpu *c, u64 new_crmd)
{
    bool changes = (new_crmd ^ c->csr[CSR_CRMD]) & CRMD_PLV;
    if (la_in_guest(c) && changes && c->root.csr[CSR_GCFG] & GCFG_TOP)
        la_raise_root(c, EXC_GCSC, 0);
}

static bool is_timer_csr(unsigned n)
{
    return n >= CSR_TID && n <= CSR_TICLR;
}

static bool is_tlb_csr(unsigned n)
{
    return (n >= CSR_TLBIDX && n <= CSR_TLBELO1) || (n >= CSR_ASID && n <= CSR_RVACFG);
}

void la_trap_guest_csr(struct la_cpu *c, unsigned n)
{
    if (!la_in_guest(c))
        return;
    if (is_timer_csr(n))
        la_trap_timer(c);
    if (is_tlb_csr(n))
        la_trap_tlb(c);
    if (la_csr_is_of_guest(c, n))
        return;
    // Without the trap control a register that does not exist at all reads 0; what exists in the
    // root always exits.
    if (c->lvz.torup || la_csr_exists(c, n))
        exit_sensitive(c);
}

void la_need_root(struct la_cpu *c)
{
    la_need_plv0(c);
    la_refuse_guest(c);
}
