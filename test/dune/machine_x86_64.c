// SPDX-License-Identifier: Apache-2.0
#include "include/longhouse/dune.h"
#include "test/dune/machine.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

const int machine_low_flag = MAP_32BIT;

const long machine_absent_calls[] = {SYS_modify_ldt, SYS_set_thread_area,    SYS_uselib, SYS_iopl,
                                     SYS_ioperm,     0x40000000 | SYS_getpid /* the x32 ABI's */};
const int machine_n_absent_calls = ARRAY_LEN(machine_absent_calls);

void machine_put_return(u8 *code)
{
    *code = 0xc3;
}

void machine_put_number(u8 *code, u32 number)
{
    *code = 0xb8;
    memcpy(code + 1, &number, sizeof(number));
    code[5] = 0xc3;
}

long machine_clone3(const void *arguments, u64 size, volatile int *mark)
{
    long child;
    __asm__ volatile("syscall\n test %%rax, %%rax\n jnz 1f\n movl $77, (%%rdx)\n"
                     "mov $60, %%eax\n mov $9, %%edi\n syscall\n 1:"
                     : "=a"(child)
                     : "a"(435), "D"(arguments), "S"(size), "d"(mark)
                     : "rcx", "r11", "memory");
    return child;
}

u64 machine_pc(const void *context)
{
    return (u64)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
}

u64 machine_undefined(void)
{
    u64 got = 1;
    __asm__ volatile("ud2; mov %%rbx, %0" : "=r"(got) : : "rbx");
    return got;
}

void machine_skip(void *context, u64 value)
{
    ucontext_t *uc = context;
    uc->uc_mcontext.gregs[REG_RIP] += 2;
    uc->uc_mcontext.gregs[REG_RBX] = (greg_t)value;
}

void machine_return_from(void *sp)
{
    __asm__ volatile("mov %0, %%rsp\n mov $15, %%eax\n syscall" : : "r"(sp) : "memory");
}

const struct machine_fault machine_faults[] = {{SIGFPE, FPE_INTDIV},
                                               {SIGTRAP, SI_KERNEL},
                                               {SIGILL, ILL_ILLOPN},
                                               {SIGSEGV, SI_KERNEL},
                                               {SIGSEGV, SI_KERNEL}};
const int machine_n_faults = ARRAY_LEN(machine_faults);

void machine_fault(void *which)
{
    volatile int zero = 0;
    switch (*(int *)which) {
    case 0:
        __asm__ volatile("xor %%edx, %%edx; mov $1, %%eax; divl %0" : : "m"(zero) : "eax", "edx");
        break;
    case 1: __asm__ volatile("int3"); break;
    case 2: __asm__ volatile("ud2"); break;
    case 3: __asm__ volatile("hlt"); break;
    case 4: *(volatile u8 *)0xdead000000000000 = 1;
    }
}

const int machine_n_privileged = 12;

void machine_privileged(void *which)
{
    u64 table[2] = {0};
    switch (*(int *)which) {
    case 0: __asm__ volatile("hlt"); break;
    case 1: __asm__ volatile("cli"); break;
    case 2: __asm__ volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" : : : "rax"); break;
    case 3: __asm__ volatile("mov $0xc0000082, %%ecx; wrmsr" : : "a"(0), "d"(0) : "ecx"); break;
    case 4: __asm__ volatile("lgdt %0" : : "m"(table)); break;
    case 5: __asm__ volatile("outb %%al, $0x80" : : "a"(0)); break;
    case 6: __asm__ volatile("invlpg (%0)" : : "r"(table)); break;
    case 7: __asm__ volatile("sysretq" : : "c"(0), "a"(0)); break;
    case 8: __asm__ volatile("mov %%cr0, %%rax" : : : "rax"); break;
    case 9: __asm__ volatile("ltr %%ax" : : "a"(0x40)); break;
    case 10: __asm__ volatile("swapgs"); break;
    case 11: __asm__ volatile("int $0x80" : : "a"(20)); break;
    }
}

bool machine_has_vectors(void)
{
    return __builtin_cpu_supports("avx2");
}

void machine_spoil_vectors(void)
{
    __asm__ volatile("vpcmpeqd %%ymm0, %%ymm0, %%ymm0; vmovdqa %%ymm0, %%ymm7; fldpi"
                     :
                     :
                     : "memory");
}

void machine_hold_vector(const u32 in[8], u32 out[8], const volatile int *until)
{
    __asm__ volatile("vmovdqu (%0), %%ymm7\n1: cmpl $0, (%1)\n je 1b\n vmovdqu %%ymm7, (%2)"
                     :
                     : "r"(in), "r"(until), "r"(out)
                     : "ymm0", "ymm7", "memory");
}

u32 machine_store_beside_vector(u8 *at, u32 value)
{
    u32 x;
    __asm__ volatile("movd %1, %%xmm7; movb $5, (%2); movd %%xmm7, %0"
                     : "=r"(x)
                     : "r"(value), "r"(at)
                     : "xmm7", "memory");
    return x;
}

u64 machine_store_and_keep(u8 *at)
{
    u64 got = 0;
    __asm__ volatile("movb $9, (%1); mov %%rbx, %0" : "=r"(got) : "a"(at) : "rbx", "memory");
    return got;
}

void machine_skip_store(struct dune_frame *frame, u64 value)
{
    frame->rip += 3;
    frame->rbx = value;
}
