// SPDX-License-Identifier: Apache-2.0
// Less usual mappings and what is refused of them, as a program sees it; passes on the host too.
#include "base/test.h"
#include "test/dune/child.h"
#include "test/dune/fails.h"
#include "test/dune/machine.h"
#include "test/dune/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RW = PROT_READ | PROT_WRITE, PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS };

static u8 *map(u64 size)
{
    void *at = mmap(NULL, size, RW, PRIVATE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static int scratch(u64 size)
{
    int fd = memfd_create("mappings", 0);
    return fd >= 0 && ftruncate(fd, (off_t)size) == 0 ? fd : -1;
}

TEST(what_mmap_refuses)
{
    int fd = open("/dev/zero", O_RDONLY), none = open("/", O_RDONLY);
    FAILS(mmap(NULL, 0, RW, PRIVATE, -1, 0), EINVAL);
    FAILS(mmap((void *)123, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0), EINVAL);
    FAILS(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
    FAILS(mmap(NULL, PAGE, RW, MAP_PRIVATE, -1, 0), EBADF);
    FAILS(mmap(NULL, PAGE, RW, MAP_PRIVATE, none, 0), ENODEV);
    FAILS(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0), EACCES);
    FAILS(syscall(SYS_mmap, NULL, PAGE, RW, MAP_PRIVATE, fd, 100), EINVAL);
    FAILS(mmap(NULL, (size_t)1 << 62, RW, PRIVATE, -1, 0), ENOMEM);
    FAILS(munmap((void *)100, PAGE), EINVAL);
    FAILS(munmap((void *)PAGE, 0), EINVAL);
    FAILS(mprotect((void *)100, PAGE, RW), EINVAL);
    u8 *p = map(PAGE);
    FAILS(mprotect(p, PAGE, 0x100), EINVAL);
    CHECK_EQ(mprotect(p, 0, PROT_NONE), 0);
    CHECK_EQ(munmap(p, PAGE), 0);
    CHECK_EQ(munmap(p, PAGE), 0);
    FAILS(mprotect(p, PAGE, RW), ENOMEM);
    close(fd);
    close(none);
}

TEST(a_place_that_is_taken)
{
    u8 *p = map(3 * PAGE);
    p[PAGE] = 7;
    FAILS(mmap(p + PAGE, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    CHECK_EQ(p[PAGE], 7);
    CHECK_EQ(munmap(p + PAGE, PAGE), 0);
    CHECK(mmap(p + PAGE, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == p + PAGE);
    CHECK_EQ(p[PAGE], 0);
    CHECK(mmap(p, 3 * PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0) == p);
    CHECK_EQ(trial_write(p + PAGE).signal, SIGSEGV);
    munmap(p, 3 * PAGE);
}

TEST(memory_that_processes_share)
{
    u32 *shared = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (u32 i = 1; i <= 10; i++)
        if (!fork()) {
            for (int n = 0; n < 1000; n++)
                __atomic_fetch_add(shared, i, __ATOMIC_RELAXED);
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    CHECK_EQ(*shared, 55000);
    munmap(shared, PAGE);
}

// Two views of the same pages, one of them without the right to write.
TEST(one_file_in_two_places)
{
    int fd = scratch(4 * PAGE);
    u8 *a = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0),
       *b = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
    for (int i = 0; i < 4; i++)
        a[i * PAGE] = (u8)(i + 1);
    CHECK(b[0] == 2 && b[PAGE] == 3);
    CHECK_EQ(trial_write(b).code, SEGV_ACCERR);
    CHECK_EQ(mprotect(b, PAGE, RW), 0);
    b[0] = 9;
    CHECK_EQ(a[PAGE], 9);
    CHECK_EQ(msync(a, 4 * PAGE, MS_SYNC), 0);
    FAILS(msync(a, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
    CHECK_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, PAGE), 0);
    CHECK(a[PAGE] == 0 && b[0] == 0);
    munmap(a, 4 * PAGE);
    munmap(b, 2 * PAGE);
    close(fd);
}

TEST(mappings_that_grow_and_shrink)
{
    u8 *p = map(8 * PAGE);
    for (int i = 0; i < 8; i++)
        p[i * PAGE] = (u8)i;
    CHECK(mremap(p, 8 * PAGE, 4 * PAGE, 0) == p);
    CHECK_EQ(trial_read(p + 4 * PAGE).code, SEGV_MAPERR);
    CHECK(mmap(p + 4 * PAGE, PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0) == p + 4 * PAGE);
    FAILS(mremap(p, 4 * PAGE, 8 * PAGE, 0), ENOMEM);
    u8 *q = mremap(p, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
    REQUIRE(q != MAP_FAILED && q != p);
    CHECK(q[3 * PAGE] == 3 && q[7 * PAGE] == 0);
    CHECK_EQ(trial_read(p).code, SEGV_MAPERR);
    u8 *place = map(8 * PAGE);
    CHECK(mremap(q, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place);
    CHECK_EQ(place[3 * PAGE], 3);
    FAILS(mremap(place, PAGE, PAGE, MREMAP_FIXED, p), EINVAL);
    FAILS(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
    munmap(p + 4 * PAGE, PAGE);
    munmap(place, 8 * PAGE);
}

// A part of a mapping is moved, and its source stays, empty.
TEST(a_move_that_leaves_something)
{
    u8 *p = map(2 * PAGE);
    p[0] = 5;
    const int flags = MREMAP_MAYMOVE | 4; // MREMAP_DONTUNMAP, which has an address, too
    u8 *q = mremap(p, 2 * PAGE, 2 * PAGE, flags, NULL);
    if (q == MAP_FAILED && errno == EINVAL)
        SKIP("an older kernel");
    REQUIRE(q != MAP_FAILED);
    FAILS(mremap(q, 2 * PAGE, 2 * PAGE, flags, (void *)8), EINVAL);
    CHECK(q[0] == 5 && p[0] == 0);
    p[0] = 6;
    CHECK_EQ(q[0], 5);
    munmap(p, 2 * PAGE);
    munmap(q, 2 * PAGE);
}

TEST(rights_of_parts)
{
    u8 *p = map(16 * PAGE);
    memset(p, 1, 16 * PAGE);
    for (int i = 0; i < 16; i += 2)
        CHECK_EQ(mprotect(p + i * PAGE, PAGE, i % 4 ? PROT_NONE : PROT_READ), 0);
    for (int i = 0; i < 16; i++) {
        bool reads = i % 2 || i % 4 == 0, writes = i % 2;
        CHECK_EQ(trial_read(p + i * PAGE).signal, reads ? 0 : SIGSEGV);
        CHECK_EQ(trial_write(p + i * PAGE).signal, writes ? 0 : SIGSEGV);
    }
    pid_t child = fork();
    if (!child)
        _exit(trial_write(p).signal != SIGSEGV || trial_read(p + 2 * PAGE).signal != SIGSEGV);
    CHECK_EQ(child_status(child), 0);
    CHECK_EQ(mprotect(p, 16 * PAGE, RW), 0);
    for (int i = 0; i < 16; i++)
        CHECK_EQ(p[i * PAGE], 1);
    munmap(p, 16 * PAGE);
}

TEST(code_that_is_made)
{
    u8 *p = map(PAGE);
    int (*code)(void) = (int (*)(void))(void *)p;
    machine_put_number(p, 1);
    CHECK_EQ(trial_call(p).code, SEGV_ACCERR);
    CHECK_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
    CHECK_EQ(code(), 1);
    CHECK_EQ(trial_write(p).code, SEGV_ACCERR);
    CHECK_EQ(mprotect(p, PAGE, RW | PROT_EXEC), 0);
    for (int i = 0; i < 100; i++) {
        machine_put_number(p, i % 2 ? 1 : 2);
        CHECK_EQ(code(), i % 2 ? 1 : 2);
    }
    munmap(p, PAGE);
    // Written through one view and executed through another, as compilers do.
    int fd = scratch(PAGE);
    u8 *w = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0),
       *x = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    machine_put_number(w, 2);
    CHECK_EQ(((int (*)(void))(void *)x)(), 2);
    machine_put_number(w, 1);
    CHECK_EQ(((int (*)(void))(void *)x)(), 1);
    munmap(w, PAGE);
    munmap(x, PAGE);
    close(fd);
}

struct comer {
    u8 *page;
    int fd;
    _Atomic bool is_over;
};

static void *come_and_go(void *opaque)
{
    struct comer *c = opaque;
    while (!c->is_over) {
        munmap(c->page, PAGE);
        mmap(c->page, PAGE, RW | PROT_EXEC, MAP_SHARED | MAP_FIXED, c->fd, 0);
    }
    return NULL;
}

// How many tries ended in something else than what is there or that nothing is.
static int n_odd_ends(struct comer *c, int kind, int n)
{
    static const u64 offsets[] = {0, 64, 128};
    u8 *at = c->page + offsets[kind];
    int n_odd = 0;
    for (int i = 0; i < n; i++) {
        struct trial t = kind == 0 ? trial_call(at) : kind == 1 ? trial_read(at) : trial_write(at);
        bool is_odd = t.signal && (t.signal != SIGSEGV || t.code != SEGV_MAPERR || t.address != at);
        if (is_odd && !n_odd++)
            printf("# kind %d: signal %d, code %d, address %p for %p\n", kind, t.signal, t.code,
                   t.address, (void *)at);
    }
    return n_odd;
}

// The monitor looks at a fault when the page may be back already, or away again.
TEST(a_page_that_comes_and_goes)
{
    struct comer c = {.fd = scratch(PAGE)};
    pthread_t t;
    c.page = mmap(NULL, PAGE, RW | PROT_EXEC, MAP_SHARED, c.fd, 0);
    REQUIRE(c.page != MAP_FAILED);
    machine_put_return(c.page);
    REQUIRE(pthread_create(&t, NULL, come_and_go, &c) == 0);
    for (int kind = 0; kind < 3; kind++)
        CHECK_EQ(n_odd_ends(&c, kind, 1000), 0);
    c.is_over = true;
    pthread_join(t, NULL);
    munmap(c.page, PAGE);
    close(c.fd);
}

TEST(advice)
{
    u8 *p = map(8 * PAGE);
    memset(p, 1, 8 * PAGE);
    CHECK_EQ(madvise(p, 2 * PAGE, MADV_DONTNEED), 0);
    CHECK(p[0] == 0 && p[2 * PAGE] == 1);
    CHECK_EQ(madvise(p, 8 * PAGE, MADV_WILLNEED), 0);
    CHECK_EQ(madvise(p + 4 * PAGE, PAGE, MADV_FREE), 0);
    p[4 * PAGE] = 3;
    CHECK_EQ(p[4 * PAGE], 3);
    FAILS(madvise(p, PAGE, 9999), EINVAL);
    FAILS(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
    CHECK_EQ(madvise(p, PAGE, MADV_DONTFORK), 0);
    CHECK_EQ(madvise(p + PAGE, PAGE, MADV_WIPEONFORK), 0);
    p[PAGE] = 5;
    pid_t child = fork();
    if (!child)
        _exit(trial_read(p).signal != SIGSEGV || p[PAGE] != 0 || p[2 * PAGE] != 1);
    CHECK_EQ(child_status(child), 0);
    CHECK_EQ(p[PAGE], 5);
    munmap(p, 8 * PAGE);
    FAILS(madvise(p, PAGE, MADV_DONTNEED), ENOMEM);
}

TEST(memory_that_stays)
{
    u8 *p = map(4 * PAGE);
    if (mlock(p, 4 * PAGE) && errno == ENOMEM)
        SKIP("the limit of locked memory is too low");
    unsigned char resident[4] = {0};
    CHECK_EQ(mincore(p, 4 * PAGE, resident), 0);
    CHECK(resident[0] & resident[3] & 1);
    CHECK_EQ(munlock(p, 4 * PAGE), 0);
    munmap(p, 4 * PAGE);
    FAILS(mlock(p, PAGE), ENOMEM);
    FAILS(mincore(p, PAGE, resident), ENOMEM);
}

// A stack that grows by itself, until something is in its way.
TEST(a_mapping_that_grows_downwards)
{
    u8 *p = mmap(NULL, 2 * PAGE, RW, PRIVATE | MAP_GROWSDOWN, -1, 0);
    REQUIRE(p != MAP_FAILED);
    p[0] = 1;
    struct trial t = trial_write(p - 8);
    CHECK(t.signal == 0 || t.signal == SIGSEGV); // as the kernel's gap allows
    // What it grew by must go as well: left alone, it would grow to any access far below it.
    int n_grown = t.signal == 0;
    munmap(p - n_grown * PAGE, (2 + n_grown) * PAGE);
}

static u64 deepen(u64 n)
{
    volatile u8 frame[8192];
    frame[0] = (u8)n;
    return n ? deepen(n - 1) + frame[0] : 0;
}

TEST(the_stack_grows)
{
    struct rlimit l;
    getrlimit(RLIMIT_STACK, &l);
    u64 most = l.rlim_cur == RLIM_INFINITY || l.rlim_cur > (8 << 20) ? 8 << 20 : l.rlim_cur;
    CHECK(deepen(most * 3 / 4 / 8300) > 0);
}

TEST(limits_of_memory)
{
    pid_t child = fork();
    if (!child) {
        struct rlimit l = {RLIM_INFINITY, RLIM_INFINITY};
        l.rlim_cur = 64 << 20;
        if (setrlimit(RLIMIT_DATA, &l))
            _exit(1);
        _exit(mmap(NULL, 256 << 20, RW, PRIVATE, -1, 0) != MAP_FAILED || errno != ENOMEM);
    }
    CHECK_EQ(child_status(child), 0);
}

TEST(files_of_odd_length)
{
    int fd = scratch(PAGE + 100);
    u8 *p = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
    p[PAGE + 50] = 7;
    p[PAGE + 200] = 8; // behind the end, and lost
    struct trial t = trial_read(p + 2 * PAGE);
    CHECK(t.signal == SIGBUS && t.code == BUS_ADRERR && t.address == p + 2 * PAGE);
    CHECK_EQ(ftruncate(fd, 3 * PAGE), 0);
    CHECK_EQ(p[2 * PAGE], 0);
    t = trial_write(p + 2 * PAGE);
    CHECK_EQ(t.signal, 0);
    munmap(p, 3 * PAGE);
    close(fd);
}

// Calls whose buffers lie on what is not there yet, or may not be written.
TEST(calls_on_lazy_memory)
{
    int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
    u8 *p = map(64 * PAGE);
    CHECK_EQ(read(zero, p + 3, 40 * PAGE), 40 * PAGE);
    CHECK_EQ(write(null, p, 64 * PAGE), 64 * PAGE);
    CHECK_EQ(mprotect(p + 2 * PAGE, PAGE, PROT_READ), 0);
    ssize_t n = read(zero, p, 4 * PAGE);
    CHECK(n == 2 * PAGE || (n == -1 && errno == EFAULT));
    FAILS(read(zero, p + 2 * PAGE, 10), EFAULT);
    munmap(p, 64 * PAGE);
    FAILS(read(zero, p, 10), EFAULT);
    close(zero);
    close(null);
}
