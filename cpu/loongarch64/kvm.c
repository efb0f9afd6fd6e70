// SPDX-License-Identifier: Apache-2.0
// /dev/kvm, and the virtual machine as a whole.
#include "cpu/loongarch64/kvm_private.h"
#include "base/bug.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool explain_open(int error, struct err *e)
{
    switch (error) {
    case ENOENT:
        return err_set(e, "there is no /dev/kvm: the host's kernel has no KVM, or its processor no "
                          "virtualization extension (LVZ)");
    case EACCES:
    case EPERM: return err_set(e, "may not open /dev/kvm: become a member of its group (kvm)");
    case ENODEV:
    case ENXIO:
        return err_set(e, "/dev/kvm has nothing behind it: the host's processor has no "
                          "virtualization extension (LVZ), or it is switched off");
    }
    return err_set(e, "open /dev/kvm: %s", strerror(error));
}

static bool check_capabilities(int fd, struct err *e)
{
    static const struct {
        int number;
        const char *name;
    } needed[] = {
        {KVM_CAP_USER_MEMORY, "memory slots"},
        {KVM_CAP_READONLY_MEM, "read-only memory"},
        {KVM_CAP_ONE_REG, "access to registers"},
        {KVM_CAP_IMMEDIATE_EXIT, "immediate exit"},
    };
    int version = ioctl(fd, KVM_GET_API_VERSION, 0);
    if (version != KVM_API_VERSION)
        return err_set(e, "/dev/kvm has version %d of its interface, this program needs %d",
                       version, KVM_API_VERSION);
    for (size_t i = 0; i < ARRAY_LEN(needed); i++)
        if (ioctl(fd, KVM_CHECK_EXTENSION, needed[i].number) <= 0)
            return err_set(e, "the host's KVM lacks %s; a newer kernel has it", needed[i].name);
    return true;
}

static bool make_vm(struct la_kvm *k, int fd, struct err *e)
{
    if (!check_capabilities(fd, e))
        return false;
    int run_size = ioctl(fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    k->fd = run_size > 0 ? ioctl(fd, KVM_CREATE_VM, 0) : -1;
    if (k->fd < 0)
        return err_set(e, "make a virtual machine: %s", strerror(errno));
    k->run_size = (size_t)run_size;
    return true;
}

static void on_kick(int number)
{
}

// Without SA_RESTART: KVM_RUN has to end.
static void install_kick(struct la_kvm *k)
{
    struct sigaction ours = {.sa_handler = on_kick};
    BUG_ON(sigaction(KVM_KICK_SIGNAL, &ours, &k->old_kick));
}

struct la_kvm *la_kvm_new(struct err *e)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        explain_open(errno, e);
        return NULL;
    }
    struct la_kvm *k = calloc(1, sizeof(*k));
    BUG_ON(!k);
    bool is_made = make_vm(k, fd, e);
    close(fd);
    if (!is_made) {
        free(k);
        return NULL;
    }
    k->memory.page_size = (u64)sysconf(_SC_PAGESIZE);
    install_kick(k);
    return k;
}

void la_kvm_free(struct la_kvm *k)
{
    if (!k)
        return;
    kvm_irqchip_free(&k->intc);
    close(k->fd);
    kvm_memory_free(&k->memory);
    sigaction(KVM_KICK_SIGNAL, &k->old_kick, NULL);
    free(k);
}
