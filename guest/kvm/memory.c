// SPDX-License-Identifier: Apache-2.0
// Memory slots, the dirty log, and both stages of translation under changes from outside.
#include "guest/kvm/vm.h"

#include <errno.h>
#include <sys/mman.h>

enum { EXTRA = 0x4000000, EXTRA_PAGES = 64, EXTRA_SIZE = EXTRA_PAGES * VM_PAGE };

static u8 *map_extra(void)
{
    u8 *memory = mmap(NULL, EXTRA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    return memory;
}

GUEST_CODE(load_word, "ld.d $a0, $a0, 0\n" CALL_USER);
GUEST_CODE(store_word, "st.d $a1, $a0, 0\n" CALL_USER);

TEST(slots_come_move_and_go)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    u64 *memory = (u64 *)(void *)map_extra();
    memory[0] = 4711;
    CHECK_EQ(vm_set_slot(&vm, 1, 0, VM_PAGE, EXTRA_SIZE, memory), -EEXIST);
    CHECK_EQ(vm_set_slot(&vm, 1, 0, EXTRA + 1, EXTRA_SIZE, memory), -EINVAL);
    for (unsigned i = 0; i < 10; i++) {
        u64 address = EXTRA * (1 + i % 3);
        CHECK_EQ(vm_set_slot(&vm, 1, 0, address, EXTRA_SIZE, memory), 0);
        CHECK_EQ(vcpu_call(&cpu, load_word, address), 4711);
        u64 elsewhere = EXTRA * (1 + (i + 1) % 3);
        CHECK_EQ(vm_set_slot(&vm, 1, 0, elsewhere, EXTRA_SIZE, memory), 0);
        vcpu_start(&cpu, load_word, address);
        CHECK_EQ(vcpu_run(&cpu), KVM_EXIT_MMIO);
        CHECK_EQ(vcpu_call(&cpu, load_word, elsewhere), 4711);
        CHECK_EQ(vm_set_slot(&vm, 1, 0, elsewhere, 0, memory), 0);
        vcpu_start(&cpu, load_word, elsewhere);
        CHECK_EQ(vcpu_run(&cpu), KVM_EXIT_MMIO);
    }
    vm_close_one(&vm, &cpu);
    munmap(memory, EXTRA_SIZE);
}

TEST(read_only_slots_are_read_and_writes_leave)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    u64 *memory = (u64 *)(void *)map_extra();
    memory[0] = 4711;
    CHECK_EQ(vm_set_slot(&vm, 1, KVM_MEM_READONLY, EXTRA, EXTRA_SIZE, memory), 0);
    CHECK_EQ(vcpu_call(&cpu, load_word, EXTRA), 4711);
    vcpu_start(&cpu, store_word, EXTRA, 5);
    CHECK_EQ(vcpu_run(&cpu), KVM_EXIT_MMIO);
    CHECK_EQ(cpu.run->mmio.is_write, 1);
    CHECK_EQ(cpu.run->mmio.phys_addr, EXTRA);
    vcpu_run_to_call(&cpu);
    CHECK_EQ(memory[0], 4711);
    CHECK_EQ(vcpu_call(&cpu, load_word, EXTRA), 4711);
    vm_close_one(&vm, &cpu);
    munmap(memory, EXTRA_SIZE);
}

// a0: address, a1: pages to write, a2: step in bytes, a3: value
GUEST_CODE(store_words, "1: st.d $a3, $a0, 8\nadd.d $a0, $a0, $a2\naddi.d $a1, $a1, -1\n"
                        "bnez $a1, 1b\n" CALL_USER);
// a0: address, a1: words, a2: step; the sum.
GUEST_CODE(sum_words, "move $t0, $zero\n1: ld.d $t1, $a0, 8\nadd.d $t0, $t0, $t1\n"
                      "add.d $a0, $a0, $a2\naddi.d $a1, $a1, -1\nbnez $a1, 1b\n"
                      "move $a0, $t0\n" CALL_USER);

static u64 dirty_pages(struct vm *vm)
{
    u64 pages = 0;
    struct kvm_dirty_log log = {.slot = 1, .dirty_bitmap = &pages};
    CHECK_EQ(kvm_call(vm->fd, KVM_GET_DIRTY_LOG, &log), 0);
    return pages;
}

TEST(the_dirty_log_has_the_pages_that_were_written)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    u8 *memory = map_extra();
    CHECK_EQ(vm_set_slot(&vm, 1, 0, EXTRA, EXTRA_SIZE, memory), 0);
    vcpu_call(&cpu, store_words, EXTRA, EXTRA_PAGES, VM_PAGE, 1);
    CHECK_EQ(vm_set_slot(&vm, 1, KVM_MEM_LOG_DIRTY_PAGES, EXTRA, EXTRA_SIZE, memory), 0);
    dirty_pages(&vm);
    for (unsigned round = 0; round < 5; round++) {
        vcpu_call(&cpu, sum_words, EXTRA, EXTRA_PAGES, VM_PAGE);
        CHECK_EQ(dirty_pages(&vm), 0);
        vcpu_call(&cpu, store_words, EXTRA, EXTRA_PAGES / 2, 2 * VM_PAGE, round);
        CHECK_EQ(dirty_pages(&vm), 0x5555555555555555);
        vcpu_call(&cpu, store_words, EXTRA + (3 + round) * VM_PAGE, 2, VM_PAGE, round);
        CHECK_EQ(dirty_pages(&vm), 3ULL << (3 + round));
    }
    // Switched off, pages are written to without a note, and on again they are protected again.
    CHECK_EQ(vm_set_slot(&vm, 1, 0, EXTRA, EXTRA_SIZE, memory), 0);
    vcpu_call(&cpu, store_words, EXTRA, EXTRA_PAGES, VM_PAGE, 7);
    CHECK_EQ(vm_set_slot(&vm, 1, KVM_MEM_LOG_DIRTY_PAGES, EXTRA, EXTRA_SIZE, memory), 0);
    dirty_pages(&vm);
    vcpu_call(&cpu, store_word, EXTRA, 7);
    CHECK_EQ(dirty_pages(&vm), 1);
    vm_close_one(&vm, &cpu);
    munmap(memory, EXTRA_SIZE);
}

static int clear_pages(struct vm *vm, u64 first, u32 n, u64 pages)
{
    struct kvm_clear_dirty_log log = {
        .slot = 1, .first_page = first, .num_pages = n, .dirty_bitmap = &pages};
    return kvm_call(vm->fd, KVM_CLEAR_DIRTY_LOG, &log);
}

TEST(the_dirty_log_is_cleared_by_hand)
{
    struct kvm_enable_cap by_hand = {.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
                                     .args = {KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE}};
    const u64 even = 0x5555555555555555;
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    u8 *memory = map_extra();
    CHECK(kvm_call(vm.fd, KVM_CHECK_EXTENSION, (void *)KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) & 1);
    CHECK_EQ(vm_set_slot(&vm, 1, 0, EXTRA, EXTRA_SIZE, memory), 0);
    CHECK_EQ(clear_pages(&vm, 0, EXTRA_PAGES, ~0ULL), -ENOENT); // nothing is logged
    CHECK_EQ(kvm_call(vm.fd, KVM_ENABLE_CAP, &by_hand), 0);
    CHECK_EQ(vm_set_slot(&vm, 1, KVM_MEM_LOG_DIRTY_PAGES, EXTRA, EXTRA_SIZE, memory), 0);
    CHECK_EQ(clear_pages(&vm, 0, EXTRA_PAGES, ~0ULL), 0);
    CHECK_EQ(clear_pages(&vm, 1, EXTRA_PAGES - 1, 0), -EINVAL); // not from a multiple of 64 on
    for (unsigned round = 0; round < 5; round++) {
        vcpu_call(&cpu, store_words, EXTRA, EXTRA_PAGES / 2, 2 * VM_PAGE, round);
        CHECK_EQ(dirty_pages(&vm), even);
        CHECK_EQ(dirty_pages(&vm), even); // looking changes nothing
        CHECK_EQ(clear_pages(&vm, 0, EXTRA_PAGES, 0xff), 0);
        CHECK_EQ(dirty_pages(&vm), even & ~0xffULL);
        // What was cleared is noted again, the rest is noted still.
        vcpu_call(&cpu, store_words, EXTRA + 4 * VM_PAGE, 1, VM_PAGE, round);
        CHECK_EQ(dirty_pages(&vm), (even & ~0xffULL) | 1 << 4);
        CHECK_EQ(clear_pages(&vm, 0, EXTRA_PAGES, ~0ULL), 0);
        CHECK_EQ(dirty_pages(&vm), 0);
    }
    vm_close_one(&vm, &cpu);
    munmap(memory, EXTRA_SIZE);
}

TEST(pages_taken_away_and_replaced_are_seen_at_once)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    u8 *memory = map_extra();
    CHECK_EQ(vm_set_slot(&vm, 1, 0, EXTRA, EXTRA_SIZE, memory), 0);
    for (u64 round = 1; round <= 20; round++) {
        vcpu_call(&cpu, store_words, EXTRA, EXTRA_PAGES, VM_PAGE, round);
        CHECK_EQ(vcpu_call(&cpu, sum_words, EXTRA, EXTRA_PAGES, VM_PAGE), EXTRA_PAGES * round);
        CHECK_EQ(madvise(memory, EXTRA_SIZE / 2, MADV_DONTNEED), 0);
        CHECK_EQ(vcpu_call(&cpu, sum_words, EXTRA, EXTRA_PAGES, VM_PAGE), EXTRA_PAGES / 2 * round);
        CHECK(mmap(memory, VM_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                   -1, 0) == memory);
        *(u64 *)(void *)(memory + 8) = 1000;
        CHECK_EQ(vcpu_call(&cpu, sum_words, EXTRA, 1, VM_PAGE), 1000);
    }
    vm_close_one(&vm, &cpu);
    munmap(memory, EXTRA_SIZE);
}

TEST(memory_of_large_pages_is_whole)
{
    enum { LARGE = 32 << 20, SIZE = 2 * LARGE, STEP = 4096 };
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    u8 *whole =
        mmap(NULL, SIZE + LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(whole != MAP_FAILED);
    u8 *memory = (u8 *)(((uintptr_t)whole + LARGE - 1) & ~(uintptr_t)(LARGE - 1));
    madvise(memory, SIZE, MADV_HUGEPAGE);
    u64 sum = 0;
    for (unsigned i = 0; i < SIZE / STEP; i++)
        sum += *(u64 *)(void *)(memory + (u64)i * STEP + 8) = i * 3;
    CHECK_EQ(vm_set_slot(&vm, 1, 0, LARGE, SIZE, memory), 0);
    CHECK_EQ(vcpu_call(&cpu, sum_words, LARGE, SIZE / STEP, STEP), sum);
    // Splitting: one small page in the middle goes away.
    u64 gone = *(u64 *)(void *)(memory + LARGE + 8);
    for (unsigned i = 1; i < VM_PAGE / STEP; i++)
        gone += *(u64 *)(void *)(memory + LARGE + i * STEP + 8);
    madvise(memory + LARGE, VM_PAGE, MADV_DONTNEED);
    CHECK_EQ(vcpu_call(&cpu, sum_words, LARGE, SIZE / STEP, STEP), sum - gone);
    vm_close_one(&vm, &cpu);
    munmap(whole, SIZE + LARGE);
}

// a0: where the refill handler is. Switches to mapped addresses with a window at 0 for the code,
// then sums words at a1, which the handler maps to the lower 40 bits of their addresses.
GUEST_CODE(sum_mapped, "csrwr $a0, " TLBRENTRY "\n"
                       "ori $t0, $zero, 0x11\ncsrwr $t0, 0x180\n" // DMW0: segment 0, PLV0, cached
                       "ori $t0, $zero, 14\ncsrwr $t0, " STLBPS "\n"
                       "invtlb 0, $zero, $zero\n"
                       "ori $t0, $zero, 0x10\nori $t1, $zero, 0x18\ncsrxchg $t0, $t1, " CRMD "\n"
                       "move $t0, $zero\n"
                       "1: ld.d $t1, $a1, 8\nadd.d $t0, $t0, $t1\n"
                       "add.d $a1, $a1, $a3\naddi.d $a2, $a2, -1\nbnez $a2, 1b\n"
                       "move $a0, $t0\n"
                       "ori $t0, $zero, 0x8\nori $t1, $zero, 0x18\ncsrxchg $t0, $t1, " CRMD "\n"
                       "csrrd $a1, " SAVE0 "\n" CALL_USER);
// Counts in SAVE0. Pairs of 16 KiB pages: V D PLV0 MAT=1 G.
GUEST_CODE(refill, "csrwr $t0, " TLBRSAVE "\n"
                   "csrrd $t0, " SAVE0 "\naddi.d $t0, $t0, 1\ncsrwr $t0, " SAVE0 "\n"
                   "csrrd $t0, " TLBRBADV "\n"
                   "bstrpick.d $t0, $t0, 39, 15\nslli.d $t0, $t0, 15\naddi.d $t0, $t0, 0x53\n"
                   "csrwr $t0, " TLBRELO0 "\n"
                   "csrrd $t0, " TLBRELO0 "\nlu12i.w $ra, 4\nadd.d $t0, $t0, $ra\n"
                   "csrwr $t0, " TLBRELO1 "\n"
                   "csrrd $t0, " TLBREHI "\naddi.w $ra, $zero, 0x3f\nandn $t0, $t0, $ra\n"
                   "ori $t0, $t0, 14\ncsrwr $t0, " TLBREHI "\n"
                   "csrrd $t0, " TLBRSAVE "\ntlbfill\nertn\n");

TEST(both_stages_translate)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    u8 *memory = map_extra();
    u64 sum = 0, mapped = ~0ULL << 40;
    CHECK_EQ(vm_set_slot(&vm, 1, 0, EXTRA, EXTRA_SIZE, memory), 0);
    vm_put(&vm, VM_VECTORS, refill, refill_end);
    for (unsigned i = 0; i < EXTRA_PAGES; i++)
        sum += *(u64 *)(void *)(memory + (u64)i * VM_PAGE + 8) = i * 5 + 1;
    for (unsigned round = 0; round < 5; round++) {
        vcpu_set_csr(&cpu, 0x30, 0);
        CHECK_EQ(vcpu_call(&cpu, sum_mapped, VM_VECTORS, mapped + EXTRA, EXTRA_PAGES, VM_PAGE),
                 sum);
        CHECK_EQ(cpu.run->hypercall.args[1], EXTRA_PAGES / 2); // refills
        // The second stage changes under the first.
        u64 *word = (u64 *)(void *)(memory + 10 * VM_PAGE + 8);
        sum -= *word;
        madvise(memory + 10 * VM_PAGE, VM_PAGE, MADV_DONTNEED);
    }
    vm_close_one(&vm, &cpu);
    munmap(memory, EXTRA_SIZE);
}

TEST(coalesced_writes_wait_in_the_ring)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    struct kvm_coalesced_mmio_zone zone = {.addr = VM_NOTHING, .size = VM_PAGE};
    CHECK_EQ(kvm_call(vm.fd, KVM_REGISTER_COALESCED_MMIO, &zone), 0);
    vcpu_call(&cpu, store_words, VM_NOTHING, 10, 16, 0x1234);
    struct kvm_coalesced_mmio_ring *ring =
        (void *)((u8 *)cpu.run + KVM_COALESCED_MMIO_PAGE_OFFSET * VM_PAGE);
    CHECK_EQ(ring->last - ring->first, 10);
    for (unsigned i = 0; i < 10; i++) {
        CHECK_EQ(ring->coalesced_mmio[ring->first + i].phys_addr, VM_NOTHING + i * 16 + 8);
        CHECK_EQ(*(u64 *)(void *)ring->coalesced_mmio[ring->first + i].data, 0x1234);
    }
    vm_close_one(&vm, &cpu);
}
