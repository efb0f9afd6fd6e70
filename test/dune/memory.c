// SPDX-License-Identifier: Apache-2.0
// Mappings as a program sees them. The same program passes on the host: what it says is what Linux
// does, and in a guest nothing may be different.
#include "base/test.h"
#include "test/dune/machine.h"
#include "test/dune/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

static u8 *map(u64 size, int prot)
{
    void *at = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static int file_of(u64 size, u8 fill)
{
    char name[] = "/tmp/lh-memory-XXXXXX";
    int fd = mkstemp(name);
    u8 *bytes = malloc(size);
    memset(bytes, fill, size);
    unlink(name);
    if (pwrite(fd, bytes, size, 0) != (ssize_t)size)
        abort();
    free(bytes);
    return fd;
}

TEST(fresh_memory_is_zero_and_keeps_what_is_written)
{
    volatile u8 *p = map(4 * PAGE, PROT_READ | PROT_WRITE);
    CHECK_EQ(p[2 * PAGE], 0);
    p[2 * PAGE] = 7;
    CHECK_EQ(p[2 * PAGE], 7);
    CHECK_EQ(munmap((void *)p, 4 * PAGE), 0);
}

TEST(no_rights_means_a_signal_with_the_address)
{
    u8 *p = map(PAGE, PROT_NONE);
    struct trial t = trial_read(p + 5);
    CHECK_EQ(t.signal, SIGSEGV);
    CHECK_EQ(t.code, SEGV_ACCERR);
    CHECK_EQ((u64)t.address, (u64)p + 5);
    t = trial_write(p + 9);
    CHECK_EQ(t.code, SEGV_ACCERR);
    CHECK_EQ((u64)t.address, (u64)p + 9);
}

// The vDSO and the stack lie anywhere near the end.
static u8 *find_free_near_the_end(void)
{
    u8 *p = (u8 *)0x7fffffff0000, seen;
    while (!mincore(p, 1, &seen) || errno != ENOMEM)
        p -= 0x10000;
    return p;
}

TEST(nothing_mapped_means_a_signal_with_the_address)
{
    u8 *p = map(PAGE, PROT_READ | PROT_WRITE);
    CHECK_EQ(trial_write(p).signal, 0);
    munmap(p, PAGE);
    struct trial t = trial_read(p + 1);
    CHECK_EQ(t.signal, SIGSEGV);
    CHECK_EQ(t.code, SEGV_MAPERR);
    CHECK_EQ((u64)t.address, (u64)p + 1);
    CHECK_EQ(trial_read((u8 *)0).code, SEGV_MAPERR);
    CHECK_EQ(trial_read(find_free_near_the_end()).code, SEGV_MAPERR);
    CHECK_EQ(trial_read((u8 *)0xffff888000000000).signal, SIGSEGV);
}

TEST(a_place_that_is_mapped_again_has_new_content)
{
    u8 *p = map(PAGE, PROT_READ | PROT_WRITE);
    p[0] = 1;
    munmap(p, PAGE);
    CHECK(mmap(p, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
          p);
    CHECK_EQ(p[0], 0);
    p[0] = 2;
    CHECK(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
    CHECK_EQ(p[0], 0);
    CHECK_EQ(trial_write(p).code, SEGV_ACCERR);
}

TEST(rights_change_at_once)
{
    u8 *p = map(2 * PAGE, PROT_READ | PROT_WRITE);
    p[0] = p[PAGE] = 1;
    CHECK_EQ(mprotect(p, PAGE, PROT_READ), 0);
    CHECK_EQ(trial_read(p).signal, 0);
    CHECK_EQ(trial_write(p).code, SEGV_ACCERR);
    CHECK_EQ(trial_write(p + PAGE).signal, 0);
    CHECK_EQ(mprotect(p, 2 * PAGE, PROT_NONE), 0);
    CHECK_EQ(trial_read(p + PAGE).code, SEGV_ACCERR);
    CHECK_EQ(mprotect(p, 2 * PAGE, PROT_READ | PROT_WRITE), 0);
    CHECK_EQ(trial_write(p).signal, 0);
    CHECK_EQ(p[PAGE], 1);
}

TEST(data_is_not_executed)
{
    u8 *p = map(PAGE, PROT_READ | PROT_WRITE);
    machine_put_return(p);
    struct trial t = trial_call(p);
    CHECK_EQ(t.signal, SIGSEGV);
    CHECK_EQ(t.code, SEGV_ACCERR);
    CHECK_EQ((u64)t.address, (u64)p);
    mprotect(p, PAGE, PROT_READ | PROT_EXEC);
    CHECK_EQ(trial_call(p).signal, 0);
    mprotect(p, PAGE, PROT_READ);
    CHECK_EQ(trial_call(p).code, SEGV_ACCERR);
}

TEST(a_hole_in_a_range_is_reported_behind_what_was_changed)
{
    u8 *p = map(3 * PAGE, PROT_READ | PROT_WRITE);
    munmap(p + PAGE, PAGE);
    CHECK_EQ(mprotect(p, 3 * PAGE, PROT_READ), -1);
    CHECK_EQ(errno, ENOMEM);
    CHECK_EQ(trial_write(p).code, SEGV_ACCERR);
    CHECK_EQ(trial_write(p + 2 * PAGE).signal, 0);
}

TEST(a_private_file_mapping_keeps_its_changes)
{
    int fd = file_of(2 * PAGE, 3);
    u8 byte = 0;
    u8 *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK_EQ(p[PAGE], 3);
    p[PAGE] = 4;
    CHECK_EQ(pread(fd, &byte, 1, PAGE), 1);
    CHECK_EQ(byte, 3);
    close(fd);
    CHECK_EQ(p[PAGE], 4);
}

TEST(a_shared_file_mapping_is_the_file)
{
    int fd = file_of(2 * PAGE, 3);
    u8 byte = 9;
    volatile u8 *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    p[PAGE + 1] = 5;
    CHECK_EQ(pread(fd, &byte, 1, PAGE + 1), 1);
    CHECK_EQ(byte, 5);
    byte = 77;
    CHECK_EQ(pwrite(fd, &byte, 1, 8), 1);
    CHECK_EQ(p[8], 77);
    close(fd);
}

TEST(a_file_that_got_shorter_means_sigbus)
{
    int fd = file_of(2 * PAGE, 3);
    u8 *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK_EQ(p[PAGE], 3);
    CHECK_EQ(ftruncate(fd, 0), 0);
    struct trial t = trial_read(p + PAGE + 3);
    CHECK_EQ(t.signal, SIGBUS);
    CHECK_EQ(t.code, BUS_ADRERR);
    CHECK_EQ((u64)t.address, (u64)p + PAGE + 3);
    close(fd);
}

TEST(memory_that_is_given_back_is_zero_again)
{
    u8 *p = map(4 * PAGE, PROT_READ | PROT_WRITE);
    memset(p, 1, 4 * PAGE);
    CHECK_EQ(madvise(p + PAGE, PAGE, MADV_DONTNEED), 0);
    CHECK_EQ(p[PAGE], 0);
    CHECK_EQ(p[2 * PAGE], 1);
    CHECK_EQ(madvise((void *)1, PAGE, MADV_DONTNEED), -1);
}

TEST(a_mapping_moves)
{
    u8 *p = map(2 * PAGE, PROT_READ | PROT_WRITE), *blocker = p + 2 * PAGE;
    p[0] = 1, p[PAGE] = 2;
    blocker = mmap(blocker, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mremap(p, 2 * PAGE, 64 * PAGE, 0) == MAP_FAILED || blocker != p + 2 * PAGE);
    u8 *q = mremap(p, 2 * PAGE, 1000 * PAGE, MREMAP_MAYMOVE);
    REQUIRE(q != MAP_FAILED);
    CHECK_EQ(q[0], 1);
    CHECK_EQ(q[PAGE], 2);
    CHECK_EQ(q[999 * PAGE], 0);
    if (q != p)
        CHECK_EQ(trial_read(p).code, SEGV_MAPERR);
    u8 *r = map(4 * PAGE, PROT_NONE);
    CHECK(mremap(q, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, r + PAGE) == r + PAGE);
    CHECK_EQ(r[PAGE], 1);
    CHECK_EQ(trial_read(q).code, SEGV_MAPERR);
    CHECK_EQ(trial_read(r).code, SEGV_ACCERR);
    CHECK(mremap(q + PAGE, 999 * PAGE, PAGE, 0) == q + PAGE);
    CHECK_EQ(trial_read(q + 2 * PAGE).code, SEGV_MAPERR);
}

TEST(the_heap_grows_and_shrinks)
{
    u8 *start = sbrk(0);
    REQUIRE(sbrk(16 * PAGE) == start);
    start[16 * PAGE - 1] = 5;
    CHECK_EQ(brk(start), 0);
    u8 *end = (u8 *)(((u64)start + PAGE - 1) & ~(u64)(PAGE - 1));
    CHECK_EQ(trial_read(end).code, SEGV_MAPERR);
    CHECK(sbrk(16 * PAGE) == start);
    CHECK_EQ(start[16 * PAGE - 1], 0);
    CHECK_EQ(brk(start), 0);
}

TEST(hints_and_fixed_places)
{
    u8 *p = map(8 * PAGE, PROT_READ);
    munmap(p, 8 * PAGE);
    u8 *q = mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(q == p + PAGE);
    q = mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(q != p + PAGE);
    q = mmap(p, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(q == MAP_FAILED && errno == EEXIST);
    CHECK(mmap(p + 1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
          MAP_FAILED);
    CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    q = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | machine_low_flag, -1, 0);
    CHECK(machine_low_flag ? (u64)q < 1ULL << 31 : q != MAP_FAILED);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0) == MAP_FAILED && errno == EBADF);
}

TEST(large_reservations_are_cheap)
{
    u64 size = 64ULL << 30;
    u8 *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(p != MAP_FAILED);
    CHECK_EQ(mprotect(p + size / 2, PAGE, PROT_READ | PROT_WRITE), 0);
    CHECK_EQ(trial_write(p + size / 2).signal, 0);
    CHECK_EQ(trial_read(p + size / 2 + PAGE).code, SEGV_ACCERR);
    CHECK_EQ(munmap(p, size), 0);
    CHECK_EQ(trial_read(p + size / 2).code, SEGV_MAPERR);
}

TEST(a_child_has_its_own_copy)
{
    u8 *p = map(PAGE, PROT_READ | PROT_WRITE);
    u8 *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = 0;
    p[0] = 1;
    pid_t child = fork();
    if (!child) {
        for (int i = 0; i < 10000 && !shared[0]; i++)
            usleep(1000);
        shared[1] = p[0];
        p[0] = 3;
        _exit(0);
    }
    p[0] = 2;
    shared[0] = 1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(shared[1], 1);
    CHECK_EQ(p[0], 2);
}

TEST(system_v_memory)
{
    int id = shmget(IPC_PRIVATE, 3 * PAGE, IPC_CREAT | 0600);
    REQUIRE(id >= 0);
    u8 *p = shmat(id, NULL, 0), *q = shmat(id, NULL, SHM_RDONLY);
    CHECK(p != (void *)-1 && q != (void *)-1);
    p[2 * PAGE] = 6;
    CHECK_EQ(q[2 * PAGE], 6);
    CHECK_EQ(trial_write(q).code, SEGV_ACCERR);
    CHECK_EQ(shmdt(p), 0);
    CHECK_EQ(trial_read(p).code, SEGV_MAPERR);
    CHECK_EQ(shmdt(p), -1);
    CHECK_EQ(shmdt(q), 0);
    shmctl(id, IPC_RMID, NULL);
}

TEST(what_is_resident_is_told)
{
    u8 vector[4] = {0};
    u8 *p = map(4 * PAGE, PROT_READ | PROT_WRITE);
    p[PAGE] = 1;
    CHECK_EQ(mincore(p, 4 * PAGE, vector), 0);
    CHECK_EQ(vector[1] & 1, 1);
    CHECK_EQ(msync(p, 4 * PAGE, MS_ASYNC), 0);
    CHECK_EQ(mlock(p, PAGE), 0);
    CHECK_EQ(munlock(p, PAGE), 0);
}

// Random changes against a plain account of what each page holds.
TEST(many_changes_agree_with_an_account)
{
    enum { PAGES = 64, STEPS = 3000 };
    u8 *base = map(PAGES * PAGE, PROT_NONE);
    int prot[PAGES];
    u8 value[PAGES];
    u32 seed = 12345;
    for (int i = 0; i < PAGES; i++)
        prot[i] = -1;
    munmap(base, PAGES * PAGE);
    memset(value, 0, sizeof(value));
    for (int step = 0; step < STEPS; step++) {
        seed = seed * 1664525 + 1013904223;
        u32 first = seed >> 8 & 63, n = 1 + (seed >> 16 & 7), kind = seed >> 24 & 3;
        n = first + n > PAGES ? PAGES - first : n;
        int rights = seed & 0x1000000 ? PROT_READ | PROT_WRITE : PROT_READ;
        if (kind < 2)
            mmap(base + first * PAGE, n * PAGE, rights, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                 0);
        else if (kind == 2)
            munmap(base + first * PAGE, n * PAGE);
        for (u32 i = first; i < first + n && kind < 3; i++) {
            prot[i] = kind < 2 ? rights : -1;
            value[i] = 0;
        }
        u32 at = seed >> 4 & 63;
        struct trial t = trial_write(base + at * PAGE);
        int expected = prot[at] == -1 ? SEGV_MAPERR : prot[at] & PROT_WRITE ? 0 : SEGV_ACCERR;
        CHECK_EQ(t.signal ? t.code : 0, expected);
        value[at] = expected ? value[at] : 1;
        if (prot[at] != -1)
            CHECK_EQ(base[at * PAGE], value[at]);
        if (test_state.n_failed_checks)
            return;
    }
}
