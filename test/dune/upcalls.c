// SPDX-License-Identifier: Apache-2.0
// Handlers of page faults that are reached without an exit: what that costs, and what the way there
// must not change. heap_faults.c has what is true of all handlers.
#include "test/dune/heap.h"

#include <string.h>

TEST(a_handler_costs_less_than_an_exit)
{
    struct dune_info info = {0};
    u64 best = ~0ULL;
    dune_check(&info);
    BEGIN(heap_give);
    for (int round = 0; round < 60; round++) {
        dune_protect(heap, HEAP, PROT_READ);
        u64 start = heap_now_ns();
        for (int i = 0; i < PAGES; i++)
            heap[i * PAGE] = (u8)i;
        u64 took = (heap_now_ns() - start) / PAGES;
        best = took < best ? took : best;
    }
    CHECK_EQ(n_faults, 60 * PAGES + 1);
    heap_end();
    printf("# a fault, its handler and back: %llu ns; an exit: %llu ns\n", (unsigned long long)best,
           (unsigned long long)info.exit_ns);
    CHECK(best < info.exit_ns);
}

static void clobber(struct dune_frame *frame, void *opaque)
{
    n_faults++;
    frame->rights = PROT_READ | PROT_WRITE;
    __asm__ volatile("pxor %%xmm0, %%xmm0; pxor %%xmm15, %%xmm15; fninit; std; cld"
                     :
                     :
                     : "xmm0", "xmm15", "cc", "memory");
}

// Red zone, general registers, flags and vectors.
TEST(nothing_else_changes)
{
    u64 r[10] = {0}, x[2] = {0x1122334455667788, 42}, y[2] = {0};
    BEGIN(clobber);
    for (int i = 0; i < PAGES; i++) {
        dune_protect(heap + i * PAGE, PAGE, PROT_READ);
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
                         : [x] "m"(x), [at] "S"(heap + i * PAGE), [r] "D"(r)
                         : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r11", "r15", "xmm15", "memory",
                           "cc");
        CHECK(r[0] == 1 && r[1] == 2 && r[2] == 3 && r[3] == 4 && r[4] == 8 && r[5] == 11 &&
              r[6] == 15 && r[9] == 78);
        CHECK_EQ(r[7] & 0x401, 0x401); // carry and direction
        CHECK(!memcmp(x, y, sizeof(x)));
        CHECK_EQ(heap[i * PAGE], 5);
    }
    CHECK_EQ(n_faults, PAGES + 1);
    heap_end();
}

static void write_with_stack(u8 *at, u64 sp)
{
    __asm__ volatile("mov %%rsp, %%rbx\n mov %1, %%rsp\n movb $9, (%0)\n mov %%rbx, %%rsp"
                     :
                     : "r"(at), "r"(sp)
                     : "rbx", "memory");
}

TEST(a_stack_that_nothing_has_touched)
{
    BEGIN(heap_give);
    for (u64 i = 1; i < 20; i++) {
        // Far from everything: the guest's tables have nothing there yet.
        u8 *stack = mmap((void *)(0x100000000000 + (i << 30)), 1 << 20, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        dune_protect(heap, PAGE, PROT_READ);
        write_with_stack(heap, (u64)stack + (1 << 20));
        CHECK_EQ(heap[0], 9);
        munmap(stack, 1 << 20);
    }
    CHECK_EQ(n_faults, 20);
    heap_end();
}

TEST(a_stack_that_is_none)
{
    BEGIN(heap_give);
    dune_protect(heap, PAGE, PROT_READ);
    pid_t child = fork();
    if (!child) {
        heap[0] = 1; // this vCPU is new: by way of the monitor
        dune_protect(heap, PAGE, PROT_READ);
        write_with_stack(heap, 0x1000);
        _exit(1);
    }
    CHECK_EQ(child_status(child), SIGSEGV);
    heap_end();
}
