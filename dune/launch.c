// SPDX-License-Identifier: Apache-2.0
#include "dune/launch.h"
#include "dune/entry.h"
#include "dune/load.h"
#include "dune/native.h"
#include "dune/process.h"
#include "dune/signals.h"
#include "dune/space.h"
#include "dune/thread.h"
#include "dune/wall.h"

#include <errno.h>
#include <linux/prctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The kernel's pages from [vvar] to the end of [vdso] are one behind the other. Nothing of the
// monitor may lie where the guest's part is.
static bool look_at_maps(struct space *s, struct err *e)
{
    char line[512];
    FILE *f = fopen("/proc/self/maps", "re");
    bool ok = f || err_set(e, "/proc/self/maps: %s", strerror(errno));
    while (ok && fgets(line, sizeof(line), f)) {
        unsigned long long start, end;
        if (sscanf(line, "%llx-%llx", &start, &end) != 2)
            continue;
        if (start < SPACE_END)
            ok = err_set(e,
                         "this program itself is at 0x%llx, where the guest's part of the address "
                         "space is",
                         start);
        if (strstr(line, "[vvar") || strstr(line, "[vdso]")) {
            if (!s->vdso || start != s->vdso + s->vdso_size)
                s->vdso = start, s->vdso_size = 0;
            s->vdso_size += end - start;
        }
    }
    if (f)
        fclose(f);
    return ok;
}

// Others may take each place of a process that becomes free: with a policy there is no other way
// than to wait for one.
static int try_first(struct thread *t, bool has_policy)
{
    enum { MANY_TRIES = 64 };
    int ret = vcpu_try(&t->vcpu);
    for (int i = 0; i < MANY_TRIES && ret == -EAGAIN && has_policy; i++)
        ret = vcpu_try(&t->vcpu);
    return ret;
}

// *is_full: KVM has no room for a thread of its own.
static bool make_first_thread(struct thread *t, struct space *space, bool has_policy, bool *is_full,
                              struct err *e)
{
    struct vcpu *v = vm_take_vcpu(&space->vm);
    int ret = v ? vcpu_set_up(&t->vcpu, &space->model, v) : -ENOMEM;
    if (ret < 0)
        return err_set(e, "/dev/kvm: cannot make a vCPU: %s", strerror(-ret));
    ret = try_first(t, has_policy);
    *is_full = ret == -EAGAIN;
    if (ret < 0)
        return err_set(e, "/dev/kvm: cannot run a vCPU: %s",
                       *is_full ? "the limit of processes leaves no room for a thread of KVM's own"
                                : strerror(-ret));
    t->regs = t->vcpu.regs;
    if (vcpu_probe(&t->vcpu, &space->model) < 0)
        return err_set(e, "/dev/kvm: system calls of a guest enter its kernel in a way that is not "
                          "known here");
    return true;
}

// What ps and /proc show is the program; a kernel that does not allow it shows the monitor.
static void show_program(const struct load *l)
{
    const char *name = strrchr(l->shown, '/');
    u64 here = (u64)sbrk(0);
    struct prctl_mm_map map = {.start_code = l->code[0],
                               .end_code = l->code[1],
                               .start_data = l->data[0],
                               .end_data = l->data[1],
                               .start_brk = here,
                               .brk = here,
                               .start_stack = l->sp,
                               .arg_start = l->text[0],
                               .arg_end = l->text[1],
                               .env_start = l->text[1],
                               .env_end = l->text[2],
                               .exe_fd = (u32)-1};
    raw(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map));
    raw(SYS_prctl, PR_SET_NAME, name ? name + 1 : l->shown);
}

static void run(void *opaque)
{
    thread_run(opaque);
}

static bool start_in_vm(struct settings *s, struct space *space, struct thread *t, bool *is_full,
                        struct err *e)
{
    const char *what = vcpu_lacks(s->kvm_fd);
    if (what)
        return err_set(e, "/dev/kvm: this kernel's KVM lacks %s", what);
    vcpu_use_door(&space->model, s->door);
    int ret = space_open_vm(space, s->kvm_fd, &s->hidden, vcpu_chunk_size(false), &what);
    if (ret < 0)
        return err_set(e, "/dev/kvm: cannot %s: %s", what, strerror(-ret));
    return make_first_thread(t, space, s->policy, is_full, e);
}

static bool start_native(struct thread *t, struct err *e)
{
    int ret = native_check();
    if (ret < 0)
        return err_set(e, "--backend sud: this kernel has no syscall user dispatch: %s",
                       strerror(-ret));
    thread_be_native(t);
    return true;
}

static bool start(struct settings *s, struct space *space, struct thread *t, struct err *e)
{
    bool is_full = false;
    if (s->is_native)
        return start_native(t, e);
    if (start_in_vm(s, space, t, &is_full, e))
        return true;
    if (!is_full || !s->is_again || s->policy)
        return false;
    // To execute a program takes no place elsewhere: it goes on without KVM. The next one that it
    // executes is in guest mode again.
    vm_close(&space->vm);
    space->has_vm = false;
    s->is_native = true;
    return start_native(t, e);
}

bool launch_program(struct settings *s, struct load *l, struct err *e)
{
    struct space *space = raw_pages(sizeof(*space));
    struct process *p = raw_pages(sizeof(*p));
    if (!space || !p)
        return err_set(e, "out of memory");
    *p = (struct process){.settings = s, .space = space, .n_threads = 1, .pid = getpid()};
    l->policy = s->policy;
    if (!look_at_maps(space, e) || !load_program(space, l, e))
        return false;
    if (!realpath(l->shown, s->exe))
        snprintf(s->exe, sizeof(s->exe), "%s", l->shown);
    struct thread *t = thread_new(p);
    if (!t)
        return err_set(e, "out of memory");
    t->tid = p->pid;
    if (!start(s, space, t, e))
        return false;
    *t->regs = regs_first(l->entry, l->sp);
    if (s->policy && !s->is_again && !wall_build(s->policy, e))
        return false;
    signals_init(p, &t->mask);
    show_program(l);
    fflush(NULL);
    entry_switch(thread_stack_top(t), run, t);
}
