// SPDX-License-Identifier: Apache-2.0
#include "include/longhouse/dune.h"
#include "test/dune/machine.h"

#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <ucontext.h>

enum { S0 = 23 };

const int machine_low_flag = 0;

const long machine_absent_calls[] = {18 /* lookup_dcookie */, 42 /* nfsservctl */};
const int machine_n_absent_calls = ARRAY_LEN(machine_absent_calls);

void machine_put_return(u8 *code)
{
    u32 word = 0x4c000020; // jr $ra
    memcpy(code, &word, sizeof(word));
    __asm__ volatile("ibar 0" : : : "memory");
}

void machine_put_number(u8 *code, u32 number)
{
    u32 words[] = {0x03800004 | number << 10, 0x4c000020}; // ori $a0, $zero, number; jr $ra
    memcpy(code, words, sizeof(words));
    __asm__ volatile("ibar 0" : : : "memory");
}

long machine_clone3(const void *arguments, u64 size, volatile int *mark)
{
    register u64 a0 __asm__("a0") = (u64)arguments, a1 __asm__("a1") = size;
    __asm__ volatile("ori $a7, $zero, 435\n syscall 0\n bnez $a0, 1f\n ori $t0, $zero, 77\n"
                     "st.w $t0, %[mark], 0\n ori $a0, $zero, 9\n ori $a7, $zero, 93\n"
                     "syscall 0\n 1:"
                     : "+r"(a0)
                     : "r"(a1), [mark] "r"(mark)
                     : "$a7", "$t0", "$t1", "$t2", "$t3", "$t4", "$t5", "$t6", "$t7", "$t8",
                       "memory");
    return (long)a0;
}

u64 machine_pc(const void *context)
{
    return ((const ucontext_t *)context)->uc_mcontext.__pc;
}

u64 machine_undefined(void)
{
    u64 got = 1;
    __asm__ volatile(".word 0\n move %0, $s0" : "=r"(got) : : "$s0");
    return got;
}

void machine_skip(void *context, u64 value)
{
    ucontext_t *uc = context;
    uc->uc_mcontext.__pc += 4;
    uc->uc_mcontext.__gregs[S0] = value;
}

void machine_return_from(void *sp)
{
    __asm__ volatile("move $sp, %0\n ori $a7, $zero, 139\n syscall 0" : : "r"(sp) : "memory");
}

const struct machine_fault machine_faults[] = {
    {SIGFPE, FPE_INTDIV}, {SIGTRAP, TRAP_BRKPT}, {SIGILL, SI_KERNEL}, {SIGILL, SI_KERNEL},
    {SIGBUS, BUS_ADRERR}, {SIGFPE, FPE_FLTDIV},  {SIGBUS, SI_KERNEL},
};
const int machine_n_faults = ARRAY_LEN(machine_faults);

void machine_fault(void *which)
{
    u64 words[2] = {0};
    switch (*(int *)which) {
    case 0: __asm__ volatile("break 7"); break;
    case 1: __asm__ volatile("break 0"); break;
    case 2: __asm__ volatile(".word 0"); break;
    case 3: __asm__ volatile("csrrd $t0, 0" : : : "$t0"); break;
    case 4: *(volatile u8 *)0xdead000000000000 = 1; break;
    case 5:
        __asm__ volatile("ori $t0, $zero, 8\n movgr2fcsr $fcsr0, $t0\n movgr2fr.d $f0, $zero\n"
                         "ffint.d.l $f1, $f0\n movgr2fr.d $f1, $t0\n ffint.d.l $f1, $f1\n"
                         "fdiv.d $f1, $f1, $f0\n movgr2fcsr $fcsr0, $zero"
                         :
                         :
                         : "$t0", "$f0", "$f1");
        break;
    case 6: __asm__ volatile("ll.d $t0, %0, 4" : : "r"(words) : "$t0", "memory"); break;
    }
}

const int machine_n_privileged = 12;

void machine_privileged(void *which)
{
    switch (*(int *)which) {
    case 0: __asm__ volatile("csrrd $t0, 0" : : : "$t0"); break;
    case 1: __asm__ volatile("csrwr $t0, 0x88" : : : "$t0"); break;
    case 2: __asm__ volatile("csrxchg $t0, $t0, 0x19" : : : "$t0"); break;
    case 3: __asm__ volatile("iocsrrd.w $t0, $zero" : : : "$t0"); break;
    case 4: __asm__ volatile("iocsrwr.d $zero, $t0" : : : "$t0"); break;
    case 5: __asm__ volatile("tlbfill"); break;
    case 6: __asm__ volatile("invtlb 0, $zero, $zero"); break;
    case 7: __asm__ volatile("ertn"); break;
    case 8: __asm__ volatile("idle 0"); break;
    case 9: __asm__ volatile("lddir $t0, $zero, 3" : : : "$t0"); break;
    case 10: __asm__ volatile(".word 0x002b8102"); break; // hvcl 0x102
    case 11: __asm__ volatile("cacop 0, $zero, 0"); break;
    }
}

bool machine_has_vectors(void)
{
    enum { HAS_LASX = 1 << 5 };
    return getauxval(AT_HWCAP) & HAS_LASX;
}

__attribute__((target("lasx"))) void machine_spoil_vectors(void)
{
    __asm__ volatile("xvrepli.d $xr0, 5\n xvrepli.d $xr7, 6\n xvrepli.d $xr31, 7" : : : "memory");
}

__attribute__((target("lasx"))) void machine_hold_vector(const u32 in[8], u32 out[8],
                                                         const volatile int *until)
{
    __asm__ volatile("xvld $xr7, %0, 0\n1: ld.w $t0, %1, 0\n beqz $t0, 1b\n xvst $xr7, %2, 0"
                     :
                     : "r"(in), "r"(until), "r"(out)
                     : "$t0", "$f7", "memory");
}

u32 machine_store_beside_vector(u8 *at, u32 value)
{
    u64 x;
    __asm__ volatile("movgr2fr.d $f7, %1\n st.b %3, %2, 0\n movfr2gr.d %0, $f7"
                     : "=r"(x)
                     : "r"((u64)value), "r"(at), "r"(5)
                     : "$f7", "memory");
    return (u32)x;
}

u64 machine_store_and_keep(u8 *at)
{
    u64 got = 0;
    __asm__ volatile("st.b %2, %1, 0\n move %0, $s0"
                     : "=r"(got)
                     : "r"(at), "r"(9)
                     : "$s0", "memory");
    return got;
}

void machine_skip_store(struct dune_frame *frame, u64 value)
{
    frame->pc += 4;
    frame->r[S0] = value;
}

void machine_clobber(void)
{
    __asm__ volatile("movgr2fr.d $f0, $zero\n movgr2fr.d $f7, $zero\n movgr2fr.d $f31, $zero\n"
                     "movgr2cf $fcc0, $zero\n movgr2cf $fcc7, $zero\n"
                     "movgr2fcsr $fcsr0, $zero"
                     :
                     :
                     : "$f0", "$f7", "$f31", "$fcc0", "$fcc7", "memory");
    if (machine_has_vectors())
        machine_spoil_vectors();
}

// $r4 has the address and $r5 where registers go; $r7 is what is stored.
#define EVERY_REGISTER(op)                                                                         \
    op(6) op(8) op(9) op(10) op(11) op(12) op(13) op(14) op(15) op(16) op(17) op(18) op(19) op(20) \
        op(23) op(24) op(25) op(26) op(27) op(28) op(29) op(30)
#define SET(n)   "ori $r" #n ", $zero, 100 + " #n "\n"
#define STORE(n) "st.d $r" #n ", $r5, 8 * " #n "\n"
#define NAME(n)  "$r" #n,

bool machine_keeps_all(u8 *at)
{
    u64 r[32] = {0}, before, after, rounding = 0x100;
    register u8 *a0 __asm__("$r4") = at;
    register u64 *a1 __asm__("$r5") = r;
    bool ok = true;
    __asm__ volatile("movgr2fcsr $fcsr0, %0" : : "r"(rounding));
    before = (u64)&r;
    __asm__ volatile("ori $r7, $zero, 5\n" EVERY_REGISTER(
                         SET) "movgr2fr.d $f0, $r6\n movgr2fr.d $f31, $r8\n movgr2cf $fcc7, $r7\n"
                              "st.b $r7, $r4, 0\n" EVERY_REGISTER(
                                  STORE) "movfr2gr.d $r6, $f0\n st.d $r6, $r5, 0\n"
                                         "movfr2gr.d $r6, $f31\n st.d $r6, $r5, 8\n"
                                         "movcf2gr $r6, $fcc7\n st.d $r6, $r5, 16\n"
                     : "+r"(a0), "+r"(a1)
                     :
                     : EVERY_REGISTER(NAME) "$r7", "$f0", "$f31", "$fcc7", "memory");
    __asm__ volatile("movfcsr2gr %0, $fcsr0\n movgr2fcsr $fcsr0, $zero" : "=r"(after));
#define COMPARE(n) ok &= r[n] == 100 + (n);
    EVERY_REGISTER(COMPARE)
    return ok && r[0] == 106 && r[1] == 108 && r[2] == 1 && (after & 0x300) == rounding &&
           before == (u64)a1 && a0 == at;
}

void machine_write_with_stack(u8 *at, u64 sp)
{
    __asm__ volatile("move $s0, $sp\n move $sp, %1\n st.b %2, %0, 0\n move $sp, $s0"
                     :
                     : "r"(at), "r"(sp), "r"(9)
                     : "$s0", "memory");
}

const int machine_n_traps = 5, machine_exits_per_trap = 0, machine_exits_per_call = 0;
// In machines of our own, where an exit is little more than any other instruction.
const int machine_exits_worth_a_handler = 10;

void machine_trap(int kind)
{
    u64 words[2] = {0};
    switch (kind) {
    case 0: __asm__ volatile("break 0"); break;
    case 1: __asm__ volatile(".word 0"); break;
    case 2: __asm__ volatile("csrrd $t0, 0" : : : "$t0"); break;
    case 3: __asm__ volatile("ll.d $t0, %0, 4" : : "r"(words) : "$t0", "memory"); break;
    case 4:
        __asm__ volatile("ori $t0, $zero, 8\n movgr2fcsr $fcsr0, $t0\n movgr2fr.d $f0, $zero\n"
                         "movgr2fr.d $f1, $t0\n ffint.d.l $f1, $f1\n fdiv.d $f1, $f1, $f0\n"
                         "movgr2fcsr $fcsr0, $zero"
                         :
                         :
                         : "$t0", "$f0", "$f1");
        break;
    }
}

u64 machine_trap_number(int kind)
{
    return (const u64[]){12, 13, 14, 9, 18}[kind];
}

void machine_skip_trap(struct dune_frame *frame)
{
    frame->pc += 4;
}

const int machine_n_skippable = 12;

const bool machine_has_privileged = true;
const int machine_n_privileged_refused = 6;

u64 machine_privileged_state(void)
{
    u64 mode, written = 0x1234567890abcdef, read;
    __asm__ volatile("csrrd %0, 0" : "=r"(mode));
    __asm__ volatile("csrwr %0, 0x32" : "+r"(written)); // SAVE2
    __asm__ volatile("csrrd %0, 0x32" : "=r"(read));
    return (mode & 3) | (read != 0x1234567890abcdef) << 2;
}

u64 machine_privileged_refused(u64 which)
{
    switch (which) {
    case 0: __asm__ volatile("break 0"); break;
    case 1: __asm__ volatile(".word 0"); break;
    case 2: __asm__ volatile(".word 0x002b8102" : : : "$a0"); break; // hvcl 0x102
    case 3: __asm__ volatile("iocsrrd.w $t0, %0" : : "r"(0x4c50) : "$t0"); break;
    case 4: __asm__ volatile("iocsrwr.w $zero, %0" : : "r"(0x4c50)); break;
    case 5: return *(volatile u64 *)0x9000000000001000; // of the guest's, where nothing is
    }
    return 0;
}

u64 machine_privileged_spin(u64 ms)
{
    u64 start, now, per_ms = __builtin_loongarch_cpucfg(4) / 1000;
    __asm__ volatile("rdtime.d %0, $zero" : "=r"(start));
    do
        __asm__ volatile("rdtime.d %0, $zero" : "=r"(now));
    while (now - start < ms * per_ms);
    return 0;
}
