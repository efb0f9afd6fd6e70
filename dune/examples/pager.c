// SPDX-License-Identifier: Apache-2.0
// A pager in the process: an array whose pages are made when they are first touched, here unpacked
// from a formula. The host's way is userfaultfd with a thread that answers, or SIGSEGV.
#include "dune/examples/clock.h"
#include "dune/examples/page.h"
#include "include/longhouse/dune.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGES = 64, ROUNDS = 20 };

static uint8_t *array;
static int n_made;

static void make(uint8_t *to, uint64_t page)
{
    memset(to, (int)(page * 7 + 1), PAGE);
    n_made++;
}

static void on_fault(struct dune_frame *frame, void *opaque)
{
    uint64_t page = (frame->address - (uint64_t)array) / PAGE;
    if (page >= PAGES)
        abort();
    dune_protect(array + page * PAGE, PAGE, PROT_READ | PROT_WRITE);
    make(array + page * PAGE, page);
}

static bool touch_all(void)
{
    bool ok = true;
    for (uint64_t i = 0; i < PAGES; i++)
        ok &= array[i * PAGE + 9] == (uint8_t)(i * 7 + 1);
    return ok;
}

static bool all_right = true;

static void touch(void *opaque)
{
    all_right &= touch_all();
}

static double time_guest(void)
{
    double best = 1e18;
    for (int i = 0; i < ROUNDS; i++) {
        dune_protect(array, PAGES * PAGE, 0);
        double ns = clock_best(touch, NULL, 1, PAGES);
        best = ns < best ? ns : best;
    }
    return best;
}

static void *answer(void *opaque)
{
    int fd = *(int *)opaque;
    static uint8_t page[PAGE] __attribute__((aligned(PAGE)));
    struct uffd_msg m;
    while (read(fd, &m, sizeof(m)) == sizeof(m)) {
        uint64_t at = m.arg.pagefault.address & ~(uint64_t)(PAGE - 1);
        make(page, (at - (uint64_t)array) / PAGE);
        struct uffdio_copy copy = {.dst = at, .src = (uint64_t)page, .len = PAGE};
        ioctl(fd, UFFDIO_COPY, &copy);
    }
    return NULL;
}

// 0 where the kernel does not allow it.
static double time_userfaultfd(void)
{
    struct uffdio_api api = {.api = UFFD_API};
    struct uffdio_register area = {.range = {(uint64_t)array, PAGES * PAGE},
                                   .mode = UFFDIO_REGISTER_MODE_MISSING};
    static int fd;
    pthread_t t;
    double best = 1e18;
    fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &area) ||
        pthread_create(&t, NULL, answer, &fd))
        return 0;
    for (int i = 0; i < ROUNDS; i++) {
        madvise(array, PAGES * PAGE, MADV_DONTNEED);
        double ns = clock_best(touch, NULL, 1, PAGES);
        best = ns < best ? ns : best;
    }
    ioctl(fd, UFFDIO_UNREGISTER, &area.range);
    pthread_cancel(t);
    pthread_join(t, NULL);
    close(fd);
    return best;
}

int main(void)
{
    array = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    double host = time_userfaultfd();
    memset(array, 0, PAGES * PAGE);
    int ret = dune_enter();
    if (ret) {
        fprintf(stderr, "pager: guest mode: %s\n", strerror(-ret));
        return CLOCK_SKIPPED;
    }
    dune_on_fault(on_fault, NULL);
    n_made = 0;
    double guest = time_guest();
    int n_in_guest = n_made;
    dune_leave();
    printf("every page was made when it was touched: %s\n",
           all_right && n_in_guest == ROUNDS * PAGES ? "yes" : "no");
    if (host)
        clock_tell("first touch of a page", guest, "userfaultfd", host);
    else
        printf("%-44s %10.1f ns in guest mode; this kernel has no userfaultfd\n",
               "first touch of a page", guest);
    return !all_right || n_in_guest != ROUNDS * PAGES;
}
