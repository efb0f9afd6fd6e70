// SPDX-License-Identifier: Apache-2.0
// Write barriers for a garbage collector: pages of old objects are protected, and the first write
// to each tells the collector which pages it has to look at again. The two shapes are those of
// Appel and Li: appel1 protects one page in each handler, appel2 protects many at once.
//
// A collector that asks which pages were written only when it collects needs no handler: the log
// has them.
//
// A small collector shows the use: old objects on protected pages point to young ones, and a minor
// collection finds them by looking only at the pages whose barrier was hit.
#include "dune/examples/clock.h"
#include "dune/examples/page.h"
#include "include/longhouse/dune.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGES = 32, ROUNDS = 40, SLOTS = PAGE / sizeof(void *) };

static uint8_t *heap;
static uint8_t is_dirty[PAGES];
static volatile int protect_next = -1;

static size_t page_of(uint64_t address)
{
    return (address - (uint64_t)heap) / PAGE;
}

static void on_fault(struct dune_frame *frame, void *opaque)
{
    size_t page = page_of(frame->address);
    if (page >= PAGES)
        abort();
    is_dirty[page] = 1;
    if (protect_next >= 0 && page + 1 < PAGES)
        dune_protect(heap + (page + 1) * PAGE, PAGE, PROT_READ);
    frame->rights = PROT_READ | PROT_WRITE;
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    size_t page = page_of((uint64_t)info->si_addr);
    if (page >= PAGES)
        _Exit(3);
    is_dirty[page] = 1;
    if (protect_next >= 0 && page + 1 < PAGES)
        mprotect(heap + (page + 1) * PAGE, PAGE, PROT_READ);
    mprotect(heap + page * PAGE, PAGE, PROT_READ | PROT_WRITE);
}

static int (*protect)(void *, size_t, int);

static void appel1(void *opaque)
{
    protect_next = 0;
    protect(heap, PAGE, PROT_READ);
    for (int i = 0; i < PAGES; i++)
        heap[i * PAGE] = (uint8_t)i;
    protect_next = -1;
}

static void appel2(void *opaque)
{
    protect(heap, PAGES * PAGE, PROT_READ);
    for (int i = 0; i < PAGES; i++)
        heap[i * PAGE] = (uint8_t)i;
}

static uint64_t written;
_Static_assert(PAGES <= 64, "pages are bits of one word");

static void by_log(void *opaque)
{
    for (int i = 0; i < PAGES; i++)
        heap[i * PAGE] = (uint8_t)i;
    dune_dirty_collect(&written);
}

// Objects are pointers; those on odd pages are written to, which the collector has to find out.
static int young[PAGES];

static void write_pointers(void)
{
    void **old = (void **)heap;
    for (int i = 1; i < PAGES; i += 2)
        old[i * SLOTS + i] = young + i;
}

static bool finds_pointers(void)
{
    void **old = (void **)heap;
    int n_found = 0;
    for (int i = 0; i < PAGES; i++)
        for (int j = 0; is_dirty[i] && j < (int)SLOTS; j++)
            n_found += old[i * SLOTS + j] == young + i;
    return n_found == PAGES / 2;
}

static bool collect(void)
{
    memset(heap, 0, PAGES * PAGE);
    memset(is_dirty, 0, sizeof(is_dirty));
    protect(heap, PAGES * PAGE, PROT_READ);
    write_pointers();
    bool ok = finds_pointers();
    protect(heap, PAGES * PAGE, PROT_READ | PROT_WRITE);
    return ok;
}

static bool collect_by_log(void)
{
    memset(heap, 0, PAGES * PAGE);
    dune_dirty_collect(&written);
    write_pointers();
    bool ok = dune_dirty_collect(&written) == PAGES / 2;
    for (int i = 0; i < PAGES; i++)
        is_dirty[i] = written >> i & 1;
    return finds_pointers() && ok;
}

int main(void)
{
    struct sigaction a = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    heap = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(heap, 1, PAGES * PAGE);
    sigaction(SIGSEGV, &a, NULL);
    protect = mprotect;
    bool host_collects = collect();
    double host1 = clock_best(appel1, NULL, ROUNDS, PAGES),
           host2 = clock_best(appel2, NULL, ROUNDS, PAGES);
    int ret = dune_enter();
    if (ret) {
        fprintf(stderr, "barrier: guest mode: %s\n", strerror(-ret));
        return CLOCK_SKIPPED;
    }
    protect = dune_protect;
    dune_on_fault(on_fault, NULL);
    bool guest_collects = collect();
    double guest1 = clock_best(appel1, NULL, ROUNDS, PAGES),
           guest2 = clock_best(appel2, NULL, ROUNDS, PAGES);
    dune_on_fault(NULL, NULL);
    guest_collects &= dune_dirty_begin(heap, PAGES * PAGE) == 0 && collect_by_log();
    double guest_log = clock_best(by_log, NULL, ROUNDS, PAGES);
    dune_dirty_end();
    dune_leave();
    printf("collections found every pointer: %s on the host, %s in guest mode\n",
           host_collects ? "yes" : "no", guest_collects ? "yes" : "no");
    clock_tell("appel1: protect, trap, unprotect, per page", guest1, "SIGSEGV and mprotect", host1);
    clock_tell("appel2: protect all, trap, unprotect, per page", guest2, "SIGSEGV and mprotect",
               host2);
    clock_tell("the log: first write and collecting, per page", guest_log, "SIGSEGV and mprotect",
               host2);
    return !host_collects || !guest_collects;
}
