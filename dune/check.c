// SPDX-License-Identifier: Apache-2.0
#include "dune/check.h"
#include "dune/hidden.h"
#include "dune/launch.h"
#include "dune/native.h"
#include "dune/space.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 20, TRIES = 50 };

static u64 now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (u64)at.tv_sec * 1000000000 + (u64)at.tv_nsec;
}

// The best of many short rounds: neighbours take time away, and never give any.
static u64 best_of(u64 (*measure)(void *), void *opaque)
{
    u64 best = ~0ULL;
    for (int i = 0; i < TRIES; i++) {
        u64 ns = measure(opaque);
        best = ns < best ? ns : best;
    }
    return best;
}

static u64 time_exits(void *opaque)
{
    struct vcpu_state *s = opaque;
    struct vcpu_why why;
    u64 start = now();
    for (int i = 0; i < ROUNDS; i++) {
        vcpu_at_probe(s);
        vcpu_run(s, &why);
        if (why.exit != VCPU_CALL)
            return ~0ULL;
    }
    return (now() - start) / ROUNDS;
}

static u64 time_entries(void *opaque)
{
    struct vcpu_state *s = opaque;
    u64 start = now();
    s->v->run->immediate_exit = 1;
    for (int i = 0; i < ROUNDS; i++)
        raw(SYS_ioctl, s->v->fd, KVM_RUN, 0);
    s->v->run->immediate_exit = 0;
    return (now() - start) / ROUNDS;
}

static int try_kvm(struct check *c, struct space *space, int kvm_fd, struct hidden *hidden)
{
    struct vcpu_state s = {0};
    int ret = space_open_vm(space, kvm_fd, hidden, c->chunk_size, &c->what);
    if (ret < 0)
        return ret;
    c->what = "make a vCPU";
    struct vcpu *v = vm_take_vcpu(&space->vm);
    ret = v ? vcpu_set_up(&s, &space->model, v) : -ENOMEM;
    if (ret < 0)
        return ret;
    c->what = "see how system calls of a guest enter its kernel";
    ret = vcpu_probe(&s, &space->model);
    if (ret < 0)
        return ret;
    c->enters_kernel = vcpu_enters_kernel(&space->model);
    c->way = vcpu_way(&space->model);
    c->exit_ns = best_of(time_exits, &s);
    c->run_ns = best_of(time_entries, &s);
    raw(SYS_close, v->fd);
    raw(SYS_close, space->vm.vm_fd);
    raw_pages_free(v->run, space->vm.run_size);
    return 0;
}

// By that way out of the guest, or by the best if it is 0.
static int check_door(struct check *c, int door)
{
    struct hidden hidden;
    struct space *space = raw_pages(sizeof(*space));
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    c->what = "open it";
    int ret = fd < 0 ? -errno : !space ? -ENOMEM : hidden_init(&hidden);
    if (!ret) {
        vcpu_use_door(&space->model, door);
        ret = try_kvm(c, space, fd, &hidden);
    }
    if (fd >= 0)
        close(fd);
    if (space)
        pagetable_free(&space->tables);
    raw_pages_free(space, sizeof(*space));
    return -ret;
}

// Where there are several ways, each is tried.
static void check_kvm(struct check *c)
{
    static const char *const names[CHECK_DOORS] = {"hvcl", "iocsr", "mmio"};
    c->kvm_error = check_door(c, 0);
    for (int i = 0; i < CHECK_DOORS && !c->kvm_error; i++) {
        struct check one = *c;
        int door = vcpu_door_named(names[i]);
        if (door && !check_door(&one, door))
            c->doors[c->n_doors++] = (struct check_door){names[i], one.exit_ns};
    }
}

static u64 time_dispatches(void *opaque)
{
    return native_time(ROUNDS);
}

static void check_sud(struct check *c)
{
    c->sud_error = -native_check();
    c->sud_ns = c->sud_error ? 0 : best_of(time_dispatches, NULL);
}

void check_host(struct check *c)
{
    memset(c, 0, sizeof(*c));
    c->chunk_size = vcpu_chunk_size(false);
    check_kvm(c);
    check_sud(c);
}
