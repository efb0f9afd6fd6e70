// SPDX-License-Identifier: Apache-2.0
#include "dune/vm.h"
#include "dune/hidden.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/mman.h>

static long ioctl_again(int fd, unsigned long request, void *argument)
{
    long ret;
    do
        ret = raw(SYS_ioctl, fd, request, argument);
    while (ret == -EINTR);
    return ret;
}

// A descriptor that KVM makes has the lowest number that is free, before it is moved.
static long new_fd(struct vm *vm, int fd, unsigned long request, u64 argument)
{
    u64 saved[2];
    long ret = ioctl_again(fd, request, (void *)argument);
    if (ret != -EMFILE || !hidden_raise_limit(vm->hidden, saved))
        return ret;
    ret = ioctl_again(fd, request, (void *)argument);
    hidden_restore_limit(vm->hidden, saved);
    return ret;
}

static int create(struct vm *vm)
{
    long fd = new_fd(vm, vm->kvm_fd, KVM_CREATE_VM, 0);
    if (fd < 0)
        return (int)fd;
    vm->vm_fd = hidden_move(vm->hidden, (int)fd);
    return vm->vm_fd < 0 ? vm->vm_fd : 0;
}

int vm_open(struct vm *vm, int kvm_fd, struct hidden *hidden)
{
    vm->kvm_fd = kvm_fd;
    vm->hidden = hidden;
    vm->n_vcpus = 0;
    long size = raw(SYS_ioctl, kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (size < 0)
        return (int)size;
    vm->run_size = (u64)size;
    return create(vm);
}

void vm_close(struct vm *vm)
{
    for (u32 i = 0; i < vm->n_vcpus; i++) {
        struct vcpu *v = vm->vcpus + i;
        if (v->fd >= 0)
            raw(SYS_close, v->fd);
        raw_pages_free(v->run, vm->run_size);
        v->fd = -1;
        v->run = NULL;
        v->is_taken = v->is_set_up = false;
    }
    raw(SYS_close, vm->vm_fd);
}

int vm_open_again(struct vm *vm)
{
    vm_close(vm);
    return create(vm);
}

int vm_add_slot(void *opaque, u32 index, const struct slot *slot)
{
    const struct vm *vm = opaque;
    struct kvm_userspace_memory_region region = {.slot = index,
                                                 .guest_phys_addr = slot->gpa,
                                                 .memory_size = slot->size,
                                                 .userspace_addr = slot->hva};
    return (int)ioctl_again(vm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region);
}

static bool make_vcpu(struct vm *vm, struct vcpu *v, u32 id)
{
    long fd = new_fd(vm, vm->vm_fd, KVM_CREATE_VCPU, id);
    if (fd < 0)
        return false;
    v->id = id;
    v->fd = hidden_move(vm->hidden, (int)fd);
    long run = v->fd < 0
                   ? v->fd
                   : raw(SYS_mmap, 0, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
    if (raw_failed(run)) {
        if (v->fd >= 0)
            raw(SYS_close, v->fd);
        v->fd = -1;
        return false;
    }
    v->run = (struct kvm_run *)run;
    return true;
}

static struct vcpu *choose(struct vm *vm)
{
    for (u32 i = 0; i < vm->n_vcpus; i++)
        if (!vm->vcpus[i].is_taken && vm->vcpus[i].fd >= 0)
            return vm->vcpus + i;
    for (u32 i = 0; i < VM_MAX_VCPUS; i++) {
        struct vcpu *v = vm->vcpus + i;
        bool is_free = i >= vm->n_vcpus || (!v->is_taken && v->fd < 0);
        if (is_free)
            return make_vcpu(vm, v, i) ? v : NULL;
    }
    return NULL;
}

struct vcpu *vm_take_vcpu(struct vm *vm)
{
    lock_take(&vm->lock);
    struct vcpu *v = choose(vm);
    if (v) {
        v->is_taken = true;
        if (v->id >= vm->n_vcpus)
            vm->n_vcpus = v->id + 1;
    }
    lock_drop(&vm->lock);
    return v;
}

void vm_give_vcpu(struct vm *vm, struct vcpu *v)
{
    lock_take(&vm->lock);
    v->is_taken = false;
    lock_drop(&vm->lock);
}

long vcpu_ioctl(const struct vcpu *v, unsigned long request, void *argument)
{
    return ioctl_again(v->fd, request, argument);
}
