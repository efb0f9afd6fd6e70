// SPDX-License-Identifier: Apache-2.0
// The life of cells, with a thread for each processor (arch/fake).
#include "hv/cell.h"
#include "base/test.h"
#include "hv/arch.h"
#include "hv/arch/fake/fake.h"
#include "hv/cpu.h"
#include "hv/mmio.h"
#include "hv/pool.h"
#include "hv/power.h"
#include "hv/sample_blob.h"
#include "hv/sync.h"

#include <stdlib.h>

static char why_text[160];
static struct why why = {why_text, sizeof(why_text)};

static s32 create(struct hv *hv, const struct sample_blob *s)
{
    hv_lock(hv->cpu[0]);
    s32 id = cell_create(hv->cpu[0], s, sizeof(*s), &why);
    hv_unlock(hv->cpu[0]);
    return id;
}

static s32 with_lock(struct hv *hv, u32 id, s32 (*f)(struct cpu *, struct cell *, struct why *))
{
    hv_lock(hv->cpu[0]);
    s32 error = f(hv->cpu[0], &hv->cell[id], &why);
    hv_unlock(hv->cpu[0]);
    return error;
}

static bool wait_for(const struct cell *c, u32 state)
{
    for (int i = 0; i < 5000 && cell_state(c) != state; i++)
        arch_pause();
    return cell_state(c) == state;
}

static void power_off_at_once(struct cpu *cpu)
{
    cell_end(cpu, CONTROL_CELL_STOPPED, "powered off");
}

// The first vCPU starts the second one, which fails.
static void start_second(struct cpu *cpu)
{
    if (!cpu->vcpu->index)
        cell_start_vcpu(cpu->vcpu->cell, 1, 0x300000);
    else if (cpu->era == 0x300000)
        cell_end(cpu, CONTROL_CELL_FAILED, "second");
}

TEST(made_started_ended_destroyed)
{
    struct hv *hv = fake_new(4);
    struct sample_blob s = sample_blob("one", 2);
    u32 tables = hv->n_tables_free;
    s32 id = create(hv, &s);
    CHECK_EQ(id, 1);
    CHECK_EQ(hv->cell[0].cpus, 3);
    CHECK_EQ(hv->cell[1].cpus, 0xc);
    CHECK_EQ(pool_owner(hv, hv->cell[1].region[0].hpa), 1);
    fake_set_guest(power_off_at_once);
    CHECK_EQ(with_lock(hv, 1, cell_start), 0);
    CHECK(wait_for(&hv->cell[1], CONTROL_CELL_STOPPED));
    CHECK_STR(hv->cell[1].cause, "powered off");
    CHECK_EQ(with_lock(hv, 1, cell_destroy), 0);
    CHECK_EQ(hv->cell[0].cpus, 0xf);
    CHECK_EQ(hv->n_tables_free, tables);
    CHECK_EQ(pool_free_size(hv), FAKE_POOL_SIZE);
    fake_free(hv);
}

TEST(a_second_vcpu_starts_and_its_failure_ends_both)
{
    struct hv *hv = fake_new(4);
    struct sample_blob s = sample_blob("one", 1);
    create(hv, &s);
    fake_set_guest(start_second);
    with_lock(hv, 1, cell_start);
    CHECK(wait_for(&hv->cell[1], CONTROL_CELL_FAILED));
    CHECK_STR(hv->cell[1].cause, "second");
    with_lock(hv, 1, cell_destroy);
    fake_free(hv);
}

TEST(refusals_take_nothing)
{
    struct hv *hv = fake_new(4);
    struct sample_blob a = sample_blob("a", 2), b = sample_blob("b", 2), c = sample_blob("a", 1);
    struct sample_blob d = sample_blob("d", 3), e = sample_blob("e", 1);
    u64 free = pool_free_size(hv) - 0x6000000;
    CHECK_EQ(create(hv, &a), 1);
    CHECK_EQ(create(hv, &b), REFUSE_BUSY);
    CHECK(strstr(why_text, "processor 2: is that of cell 'a'"));
    CHECK_EQ(create(hv, &c), REFUSE_BUSY);
    CHECK(strstr(why_text, "there is a cell 'a' already"));
    CHECK_EQ(create(hv, &d), REFUSE_BUSY);
    e.cpus[1].id = 5;
    sample_seal(&e);
    CHECK_EQ(create(hv, &e), REFUSE_NOENT);
    e = sample_blob("e", 1);
    e.head.n_cpus = 2;
    e.memory[1].size = 0x20000000;
    sample_seal(&e);
    CHECK_EQ(create(hv, &e), REFUSE_NOMEM);
    CHECK(strstr(why_text, "the pool has"));
    CHECK_EQ(pool_free_size(hv), free);
    CHECK_EQ(hv->cell[0].cpus, 3);
    with_lock(hv, 1, cell_destroy);
    fake_free(hv);
}

TEST(a_processor_in_use_is_not_given)
{
    struct hv *hv = fake_new(4);
    struct sample_blob s = sample_blob("a", 1);
    cell_start_vcpu(&hv->cell[0], 1, 0x1000);
    while (load_u32(&hv->cpu[1]->state) != CPU_RUNNING)
        arch_pause();
    CHECK_EQ(create(hv, &s), REFUSE_BUSY);
    CHECK(strstr(why_text, "taken offline"));
    store_u32(&hv->cell[0].vcpu[1].is_offline, 1);
    store_u32(&hv->cell[0].vcpu[1].state, VCPU_IDLE);
    CHECK_EQ(create(hv, &s), 1);
    CHECK_EQ(load_u32(&hv->cell[0].vcpu[1].state), VCPU_LENT);
    cell_start_vcpu(&hv->cell[0], 1, 0x1000);
    CHECK_EQ(load_u32(&hv->cell[0].vcpu[1].state), VCPU_LENT);
    with_lock(hv, 1, cell_destroy);
    cell_start_vcpu(&hv->cell[0], 1, 0x1000);
    while (load_u32(&hv->cpu[1]->state) != CPU_RUNNING)
        arch_pause();
    fake_free(hv);
}

static struct sample_blob sharing(const char *name, u32 cpu)
{
    struct sample_blob s = sample_blob(name, cpu);
    s.head.n_cpus = 2;
    s.memory[1] = (struct cell_blob_memory){0x80000000, 0x2000000, CELL_MEMORY_SHARED, 3, 9, 0};
    s.devices[1] = (struct cell_blob_device){0x1fe10000, CELL_DEVICE_DOORBELL, 40, 9, 0};
    sample_seal(&s);
    return s;
}

TEST(shared_memory_goes_with_the_last_cell)
{
    struct hv *hv = fake_new(5);
    struct sample_blob a = sharing("a", 1), b = sharing("b", 3), c = sharing("c", 3);
    u64 at = 0, hpa[3];
    CHECK_EQ(create(hv, &a), 1);
    c.memory[1].size = 0x4000000;
    sample_seal(&c);
    CHECK_EQ(create(hv, &c), REFUSE_INVAL);
    CHECK(strstr(why_text, "has 32 MiB, not 64"));
    CHECK_EQ(create(hv, &b), 2);
    for (u32 i = 1; i < 3; i++)
        CHECK(arch_stage2_walk(hv->cell[i].stage2, 0x80000000, &hpa[i]));
    CHECK_EQ(hpa[1], hpa[2]);
    CHECK_EQ(pool_free_size(hv), FAKE_POOL_SIZE - 3 * HV_BLOCK);
    u8 *byte = arch_memory(hpa[1]);
    *byte = 1;
    while (!cell_scrub(&hv->cell[1], &at, 0x100000))
        ;
    CHECK_EQ(*byte, 1);
    with_lock(hv, 1, cell_destroy);
    CHECK_EQ(pool_owner(hv, hpa[1]), SHARE_OWNER(0));
    at = 0;
    while (!cell_scrub(&hv->cell[2], &at, 0x100000))
        ;
    CHECK_EQ(*byte, 0);
    with_lock(hv, 2, cell_destroy);
    CHECK_EQ(pool_free_size(hv), FAKE_POOL_SIZE);
    fake_free(hv);
}

TEST(a_doorbell_reaches_the_other_cell)
{
    struct hv *hv = fake_new(5);
    struct sample_blob a = sharing("a", 1), b = sharing("b", 3);
    struct cpu visitor = {.hv = hv, .state = CPU_PARKED};
    struct access ring = {.gpa = 0x1fe10000, .size = 4, .is_write = true, .value = 1};
    struct access members = {.gpa = 0x1fe10004, .size = 4};
    create(hv, &a);
    create(hv, &b);
    visitor.vcpu = &hv->cell[1].vcpu[0];
    CHECK(mmio_access(&visitor, &ring));
    CHECK(mmio_access(&visitor, &members));
    CHECK_EQ(members.value, 6);
    CHECK_EQ(hv->cell[1].intc.pending[0], 0);
    CHECK_EQ(hv->cell[2].intc.pending[0], 1ULL << 40);
    with_lock(hv, 1, cell_destroy);
    with_lock(hv, 2, cell_destroy);
    fake_free(hv);
}

TEST(scrubbing_comes_to_an_end_and_reaches_everything)
{
    struct hv *hv = fake_new(3);
    struct sample_blob s = sample_blob("a", 1);
    create(hv, &s);
    struct cell *c = &hv->cell[1];
    u8 *last = arch_memory(c->region[1].hpa + c->region[1].size - 1);
    u8 *first = arch_memory(c->region[0].hpa);
    *first = *last = 1;
    u64 at = 0;
    unsigned n = 0;
    while (!cell_scrub(c, &at, 0x100000))
        n++;
    CHECK_EQ(n, 95);
    CHECK_EQ(*first + *last, 0);
    CHECK_EQ(at, 0x6000000);
    with_lock(hv, 1, cell_destroy);
    fake_free(hv);
}

// Stops at any moment of a start.
TEST(a_thousand_lives)
{
    struct hv *hv = fake_new(4);
    struct sample_blob s = sample_blob("a", 2);
    u32 tables = 0;
    srand(5);
    fake_set_guest(start_second);
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(create(hv, &s), 1);
        CHECK_EQ(with_lock(hv, 1, cell_start), 0);
        for (int k = rand() % 4; k > 0; k--)
            arch_pause();
        if (i % 3)
            CHECK_EQ(with_lock(hv, 1, cell_stop), 0);
        CHECK_EQ(with_lock(hv, 1, cell_destroy), 0);
        tables = tables ? tables : hv->n_tables_free;
    }
    CHECK_EQ(hv->n_tables_free, tables);
    CHECK_EQ(pool_free_size(hv), FAKE_POOL_SIZE);
    fake_free(hv);
}

TEST(all_processors_of_a_cell_forget)
{
    struct hv *hv = fake_new(4);
    for (u32 i = 1; i < 4; i++)
        cell_start_vcpu(&hv->cell[0], i, 0x1000);
    for (u32 i = 1; i < 4; i++)
        while (load_u32(&hv->cpu[i]->state) != CPU_RUNNING)
            arch_pause();
    u64 before = fake_n_flushes();
    for (int i = 0; i < 100; i++)
        CHECK(flush_cell(hv->cpu[0], &hv->cell[0]));
    CHECK(fake_n_flushes() - before >= 100 + 3);
    fake_free(hv);
}
