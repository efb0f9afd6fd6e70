// SPDX-License-Identifier: Apache-2.0
#include "dune/exceptions.h"
#include "dune/process.h"
#include "dune/signals.h"
#include "dune/thread.h"

#include <signal.h>

// Section 7.4.8 of the Reference Manual, Volume 1.
enum { ECODE_ADE = 8, ECODE_ALE = 9, ECODE_BCE = 10, ECODE_BRK = 12, ECODE_FPE = 18 };

// break carries a code that compilers and Linux agree on.
static void serve_break(struct thread *t)
{
    enum { OVERFLOW = 6, DIVISION = 7 };
    u64 pc = regs_pc(t->regs);
    u32 word = 0;
    guest_read(&word, pc, sizeof(word));
    switch (word & 0x7fff) {
    case OVERFLOW: signals_force(t, SIGFPE, FPE_INTOVF, pc); break;
    case DIVISION: signals_force(t, SIGFPE, FPE_INTDIV, pc); break;
    default: signals_force(t, SIGTRAP, TRAP_BRKPT, pc);
    }
}

// FCSR: causes in bits 28 to 24, what is enabled in bits 4 to 0. The causes are taken away, as
// Linux does, so that a handler may go on.
static void serve_floating_point(struct thread *t)
{
    struct vcpu_extra x;
    if (vcpu_get_extra(&t->vcpu, &x) < 0)
        signals_die(SIGKILL);
    u32 causes = x.fcsr >> 24 & x.fcsr & 0x1f;
    x.fcsr &= ~(causes << 24);
    vcpu_set_extra(&t->vcpu, &x);
    int code = causes & 16  ? FPE_FLTINV
               : causes & 8 ? FPE_FLTDIV
               : causes & 4 ? FPE_FLTOVF
               : causes & 2 ? FPE_FLTUND
               : causes & 1 ? FPE_FLTRES
                            : FPE_FLTUNK;
    signals_force(t, SIGFPE, code, regs_pc(t->regs));
}

void exception_serve(struct thread *t, const struct vcpu_why *why)
{
    switch (why->vector) {
    case ECODE_ADE: signals_force(t, SIGBUS, BUS_ADRERR, why->address); break;
    case ECODE_ALE: signals_force(t, SIGBUS, SI_KERNEL, 0); break;
    case ECODE_BCE: signals_force(t, SIGSEGV, SEGV_BNDERR, why->address); break;
    case ECODE_BRK: serve_break(t); break;
    case ECODE_FPE: serve_floating_point(t); break;
    default: signals_force(t, SIGILL, SI_KERNEL, 0);
    }
}

// KVM tells it.
bool exception_find_bus(struct thread *t, struct vcpu_why *why)
{
    return true;
}
