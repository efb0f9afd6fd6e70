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

void machine_clobber(void)
{
    __asm__ volatile("pxor %%xmm0, %%xmm0; pxor %%xmm15, %%xmm15; fninit; std; cld"
                     :
                     :
                     : "xmm0", "xmm15", "cc", "memory");
    if (machine_has_vectors())
        machine_spoil_vectors();
}

bool machine_keeps_all(u8 *at)
{
    u64 r[10] = {0}, x[2] = {0x1122334455667788, 42}, y[2] = {0};
    __asm__ volatile("movdqu %[x], %%xmm15\n movq $77, -8(%%rsp)\n movq $78, -128(%%rsp)\n"
                     "mov $1, %%eax\n mov $2, %%ebx\n mov $3, %%ecx\n mov $4, %%edx\n"
                     "mov $8, %%r8d\n mov $11, %%r11d\n mov $15, %%r15d\n"
                     "stc\n std\n movb $5, (%[at])\n"
                     "pushfq\n pop %%r9\n cld\n"
                     "mov %%rax, 0(%[r])\n mov %%rbx, 8(%[r])\n mov %%rcx, 16(%[r])\n"
                     "mov %%rdx, 24(%[r])\n mov %%r8, 32(%[r])\n mov %%r11, 40(%[r])\n"
                     "mov %%r15, 48(%[r])\n mov %%r9, 56(%[r])\n"
                     "mov -128(%%rsp), %%rax\n mov %%rax, 72(%[r])\n movdqu %%xmm15, %[y]"
                     : [y] "=m"(y)
                     : [x] "m"(x), [at] "S"(at), [r] "D"(r)
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r11", "r15", "xmm15", "memory",
                       "cc");
    return r[0] == 1 && r[1] == 2 && r[2] == 3 && r[3] == 4 && r[4] == 8 && r[5] == 11 &&
           r[6] == 15 && r[9] == 78 && (r[7] & 0x401) == 0x401 && !memcmp(x, y, sizeof(x));
}

void machine_write_with_stack(u8 *at, u64 sp)
{
    __asm__ volatile("mov %%rsp, %%rbx\n mov %1, %%rsp\n movb $9, (%0)\n mov %%rbx, %%rsp"
                     :
                     : "r"(at), "r"(sp)
                     : "rbx", "memory");
}

// Traps and calls are told to the monitor, and so is the end of their handlers.
const int machine_n_traps = 3, machine_exits_per_trap = 2, machine_exits_per_call = 2;
const int machine_exits_worth_a_handler = 1;

void machine_trap(int kind)
{
    switch (kind) {
    case 0: __asm__ volatile("ud2"); break;
    case 1: __asm__ volatile("int3"); break;
    case 2: __asm__ volatile("hlt"); break;
    }
}

u64 machine_trap_number(int kind)
{
    return (const u64[]){6, 3, 13}[kind];
}

void machine_skip_trap(struct dune_frame *frame)
{
    frame->rip += frame->error == 6 ? 2 : frame->error == 13 ? 1 : 0;
}

const int machine_n_skippable = 1;

const bool machine_has_privileged = false;
const int machine_n_privileged_refused = 0;

u64 machine_privileged_state(void)
{
    return 1;
}

u64 machine_privileged_refused(u64 which)
{
    return 0;
}

u64 machine_privileged_spin(u64 ms)
{
    return 1;
}
