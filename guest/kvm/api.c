// SPDX-License-Identifier: Apache-2.0
// What KVM says about itself, and the calls that are about neither memory nor interrupts: signals
// of a run, statistics.
#include "guest/kvm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

TEST(the_version_is_12_and_asked_for_without_argument)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    REQUIRE(kvm >= 0);
    CHECK_EQ(kvm_call(kvm, KVM_GET_API_VERSION, NULL), 12);
    CHECK_EQ(kvm_call(kvm, KVM_GET_API_VERSION, (void *)1), -EINVAL);
    CHECK(kvm_call(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL) >= (int)sizeof(struct kvm_run));
    CHECK_EQ(kvm_call(kvm, _IO(KVMIO, 0xfe), NULL), -ENOTTY);
    close(kvm);
}

TEST(extensions_are_those_of_this_architecture)
{
    static const int THERE[] = {
        KVM_CAP_USER_MEMORY,     KVM_CAP_DESTROY_MEMORY_REGION_WORKS,
        KVM_CAP_ONE_REG,         KVM_CAP_ENABLE_CAP,
        KVM_CAP_READONLY_MEM,    KVM_CAP_SYNC_MMU,
        KVM_CAP_IMMEDIATE_EXIT,  KVM_CAP_IOEVENTFD,
        KVM_CAP_IRQFD,           KVM_CAP_SIGNAL_MSI,
        KVM_CAP_MP_STATE,        KVM_CAP_SET_GUEST_DEBUG,
        KVM_CAP_DEVICE_CTRL,     KVM_CAP_CHECK_EXTENSION_VM,
        KVM_CAP_BINARY_STATS_FD, KVM_CAP_NR_VCPUS,
        KVM_CAP_NR_MEMSLOTS,     KVM_CAP_COALESCED_MMIO,
        KVM_CAP_IRQ_ROUTING,     KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
    };
    static const int NOT_THERE[] = {KVM_CAP_GUEST_DEBUG_HW_BPS, KVM_CAP_GUEST_DEBUG_HW_WPS,
                                    KVM_CAP_DIRTY_LOG_RING, 9999};
    struct vm vm;
    if (!vm_open(&vm))
        return;
    for (unsigned i = 0; i < ARRAY_LEN(THERE); i++)
        if (!CHECK(kvm_call(vm.fd, KVM_CHECK_EXTENSION, (void *)(long)THERE[i]) > 0))
            printf("# extension %d\n", THERE[i]);
    for (unsigned i = 0; i < ARRAY_LEN(NOT_THERE); i++)
        if (!CHECK_EQ(kvm_call(vm.fd, KVM_CHECK_EXTENSION, (void *)(long)NOT_THERE[i]), 0))
            printf("# extension %d\n", NOT_THERE[i]);
    vm_close(&vm);
}

TEST(breakpoints_in_hardware_are_refused)
{
    struct kvm_guest_debug debug = {.control = KVM_GUESTDBG_ENABLE | 0x20000};
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    CHECK_EQ(kvm_call(cpu.fd, KVM_SET_GUEST_DEBUG, &debug), -EINVAL);
    vm_close_one(&vm, &cpu);
}

// ---- Signals of a run ----

GUEST_CODE(spin_for_ever, "1: b 1b\n");
GUEST_CODE(just_call, CALL_USER "b -4\n");

static volatile unsigned n_handled;

static void count_signal(int number)
{
    n_handled++;
}

static int set_mask(struct vcpu *cpu, u32 size, u64 blocked)
{
    struct { // kvm_signal_mask
        u32 len;
        u8 set[8];
    } mask = {.len = size};
    memcpy(mask.set, &blocked, sizeof(blocked));
    return kvm_call(cpu->fd, KVM_SET_SIGNAL_MASK, &mask);
}

static u64 bit_of(int number)
{
    return 1ULL << (number - 1);
}

static void *signal_later(void *thread)
{
    usleep(30000);
    pthread_kill(*(pthread_t *)thread, SIGUSR1);
    return NULL;
}

TEST(the_signal_mask_of_a_run_lets_signals_end_it_that_are_blocked_otherwise)
{
    struct sigaction action = {.sa_handler = count_signal};
    pthread_t self = pthread_self(), other;
    struct vm vm;
    struct vcpu cpu;
    sigset_t set;
    if (!vm_open_one(&vm, &cpu))
        return;
    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    n_handled = 0;
    CHECK_EQ(set_mask(&cpu, 4, 0), -EINVAL);
    // Blocked, it ends nothing.
    CHECK_EQ(set_mask(&cpu, 8, bit_of(SIGUSR1)), 0);
    pthread_kill(self, SIGUSR1);
    vcpu_start(&cpu, just_call);
    vcpu_run_to_call(&cpu);
    // Open while the guest runs, it ends the run, and is taken nowhere.
    CHECK_EQ(set_mask(&cpu, 8, 0), 0);
    vcpu_start(&cpu, spin_for_ever);
    CHECK_EQ(vcpu_run(&cpu), -EINTR);
    CHECK_EQ(cpu.run->exit_reason, KVM_EXIT_INTR);
    struct timespec now = {0};
    CHECK_EQ(n_handled, 0);
    CHECK_EQ(sigtimedwait(&set, NULL, &now), SIGUSR1);
    u64 start = counter_read();
    pthread_create(&other, NULL, signal_later, &self);
    CHECK_EQ(vcpu_run(&cpu), -EINTR);
    CHECK(counter_read() - start < 20 * counter_frequency());
    pthread_join(other, NULL);
    CHECK_EQ(sigtimedwait(&set, NULL, &now), SIGUSR1);
    // Without a mask the thread's own counts.
    CHECK_EQ(kvm_call(cpu.fd, KVM_SET_SIGNAL_MASK, NULL), 0);
    pthread_kill(self, SIGUSR1);
    vcpu_start(&cpu, just_call);
    vcpu_run_to_call(&cpu);
    CHECK_EQ(sigtimedwait(&set, NULL, &now), SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    CHECK_EQ(n_handled, 0);
    vm_close_one(&vm, &cpu);
}

// ---- Statistics ----

enum { MAX_STATS = 1 << 16 };

struct stats {
    int fd;
    struct kvm_stats_header header;
    u8 *descriptors;
    size_t step;
};

static bool stats_open(struct stats *s, int of)
{
    s->descriptors = NULL;
    s->fd = ioctl(of, KVM_GET_STATS_FD, NULL);
    if (!CHECK(s->fd >= 0) ||
        !CHECK_EQ(pread(s->fd, &s->header, sizeof(s->header), 0), sizeof(s->header)))
        return false;
    s->step = sizeof(struct kvm_stats_desc) + s->header.name_size;
    size_t size = s->step * s->header.num_desc;
    s->descriptors = malloc(size);
    return CHECK(size && size < MAX_STATS && s->descriptors) &&
           CHECK_EQ(pread(s->fd, s->descriptors, size, s->header.desc_offset), size);
}

static void stats_close(struct stats *s)
{
    free(s->descriptors);
    close(s->fd);
}

// The first value of the named one; ~0 if there is none.
static u64 stats_value(struct stats *s, const char *name)
{
    for (unsigned i = 0; i < s->header.num_desc; i++) {
        const struct kvm_stats_desc *d = (const void *)(s->descriptors + i * s->step);
        u64 value;
        if (strcmp(d->name, name))
            continue;
        CHECK_EQ(pread(s->fd, &value, sizeof(value), s->header.data_offset + d->offset), 8);
        return value;
    }
    CHECK(!"there is no such statistic");
    printf("# %s\n", name);
    return ~0ULL;
}

static void check_descriptors(struct stats *s)
{
    for (unsigned i = 0; i < s->header.num_desc; i++) {
        const struct kvm_stats_desc *d = (const void *)(s->descriptors + i * s->step);
        CHECK((d->flags & KVM_STATS_TYPE_MASK) <= KVM_STATS_TYPE_MAX);
        CHECK((d->flags & KVM_STATS_UNIT_MASK) <= KVM_STATS_UNIT_MAX);
        CHECK((d->flags & KVM_STATS_BASE_MASK) <= KVM_STATS_BASE_MAX);
        CHECK(d->size > 0 && d->offset % 8 == 0);
        CHECK(memchr(d->name, 0, s->header.name_size) && d->name[0]);
    }
}

GUEST_CODE(ask_often, "1: cpucfg $t0, $zero\naddi.d $a0, $a0, -1\nbnez $a0, 1b\n" CALL_USER);

TEST(statistics_count_what_happens)
{
    enum { N = 50 };
    struct vm vm;
    struct vcpu cpu;
    struct stats of_vm, of_cpu;
    char name[256] = "", wanted[64];
    if (!vm_open_one(&vm, &cpu))
        return;
    REQUIRE(stats_open(&of_vm, vm.fd) && stats_open(&of_cpu, cpu.fd));
    check_descriptors(&of_vm);
    check_descriptors(&of_cpu);
    CHECK(pread(of_cpu.fd, name, sizeof(name) - 1, of_cpu.header.id_offset) > 0);
    snprintf(wanted, sizeof(wanted), "kvm-%d/vcpu-0", (int)getpid());
    CHECK_STR(name, wanted);
    u64 idle = stats_value(&of_cpu, "idle_exits"), cpucfg = stats_value(&of_cpu, "cpucfg_exits");
    u64 calls = stats_value(&of_cpu, "hypercall_exits"), pages = stats_value(&of_vm, "pages");
    vcpu_call(&cpu, ask_often, N);
    CHECK_EQ(stats_value(&of_cpu, "cpucfg_exits") - cpucfg, N);
    CHECK_EQ(stats_value(&of_cpu, "hypercall_exits") - calls, 1);
    CHECK_EQ(stats_value(&of_cpu, "idle_exits"), idle);
    CHECK(stats_value(&of_vm, "pages") > pages);
    stats_close(&of_cpu);
    stats_close(&of_vm);
    vm_close_one(&vm, &cpu);
}
