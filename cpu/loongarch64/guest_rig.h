// SPDX-License-Identifier: Apache-2.0
// A guest on the rig, under a root that is only registers. For the tests of the virtualization
// extension.
#pragma once

#include "base/test.h"
#include "cpu/loongarch64/rig.h"

enum { V = 1, D = 2, PLV3 = 3 << 2, CC = 1 << 4, G = 1 << 6 };
#define GUEST_BASE  0x200000ULL // host-physical address of guest-physical 0
#define GUEST_CODE  0x10000ULL  // guest-physical
#define GUEST_ENTRY 0x20000ULL
#define GID         5

#define ECODE(c)       bits_get((c)->root.csr[CSR_ESTAT], 21, 16)
#define GUEST_ECODE(c) bits_get((c)->guest.csr[CSR_ESTAT], 21, 16)

// A second-stage entry of 2 MiB pages in the MTLB: gpa -> hpa.
static inline void map_gpa(struct rig *r, unsigned index, u64 gpa, u64 hpa, unsigned ps, u64 flags)
{
    la_csr_write(r->c, CSR_GTLBC, BIT(12) | (u64)GID << 16, ~0ULL);
    rig_map(r, index, gpa, hpa, ps, flags);
    la_csr_write(r->c, CSR_GTLBC, BIT(12), ~0ULL);
}

static inline void guest_program(struct rig *r, const char *text)
{
    rig_program_at(r, GUEST_BASE + GUEST_CODE, text);
}

// A rig whose guest has 2 MiB of memory at GPA 0, is in direct mode, and whose root is mapped.
static inline void init(struct rig *r)
{
    rig_init(r, "max");
    rig_mapped(r, 0);
    la_csr_write(r->c, CSR_EENTRY, 0x9000000000000000 | RIG_ENTRY, ~0ULL);
    la_csr_write(r->c, CSR_GSTAT, (u64)GID << 16, ~0ULL);
    map_gpa(r, 2048, 0, GUEST_BASE, 20, V | D | CC);
    la_gcsr_write(r->c, CSR_EENTRY, GUEST_ENTRY, ~0ULL);
    la_gcsr_write(r->c, CSR_TLBRENTRY, GUEST_ENTRY + 0x1000, ~0ULL);
    la_gcsr_write(r->c, CSR_EUEN, EUEN_FPE | EUEN_SXE | EUEN_ASXE, ~0ULL);
}

// Executes `ertn` in the root so that the guest goes on at `pc`.
static inline void enter_at(struct rig *r, u64 pc)
{
    la_csr_write(r->c, CSR_ERA, pc, ~0ULL);
    la_csr_write(r->c, CSR_PRMD, 4, ~0ULL); // PLV 0, interrupts on, as KVM does
    la_csr_write(r->c, CSR_GSTAT, BIT(1), BIT(1));
    rig_program(r, "ertn");
    r->c->pc |= 0x9000000000000000;
    rig_step(r);
}

static inline void run_guest(struct rig *r, const char *text, unsigned steps)
{
    guest_program(r, text);
    enter_at(r, GUEST_CODE);
    rig_steps(r, steps);
}

// The exit code of one guest instruction at a privilege level; 0 if it does not exit.
static inline unsigned exit_of(struct rig *r, const char *insn, unsigned plv)
{
    la_gcsr_write(r->c, CSR_CRMD, CRMD_DA | plv, ~0ULL);
    la_gcsr_write(r->c, CSR_ESTAT, 0, ~0ULL);
    la_csr_write(r->c, CSR_ESTAT, 0, ~0ULL);
    r->c->root.csr[CSR_ESTAT] = 0;
    run_guest(r, insn, 1);
    if (!la_in_guest(r->c))
        return (unsigned)ECODE(r->c);
    la_switch_context(r->c, &r->c->root); // as if it had
    return 0;
}
