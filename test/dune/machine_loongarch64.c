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
