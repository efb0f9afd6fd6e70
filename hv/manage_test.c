// SPDX-License-Identifier: Apache-2.0
// The management function as the root cell sees it, and as a broken root cell uses it.
#include "hv/manage.h"
#include "base/test.h"
#include "hv/arch.h"
#include "hv/arch/fake/fake.h"
#include "hv/cell.h"
#include "hv/console.h"
#include "hv/mmio.h"
#include "hv/pool.h"
#include "hv/sample_blob.h"

#include <stdlib.h>

#define CONFIG 0x200f8000ULL
#define BARS   0x50000000ULL

static u64 access_at(struct hv *hv, u64 gpa, unsigned size, bool is_write, u64 value)
{
    struct access a = {.gpa = gpa, .size = (u8)size, .is_write = is_write, .value = value};
    CHECK(mmio_access(hv->cpu[0], &a));
    return a.value;
}

static void place_bars(struct hv *hv)
{
    access_at(hv, CONFIG + 0x10, 4, true, BARS);
    access_at(hv, CONFIG + 0x14, 4, true, BARS + 0x10000);
    access_at(hv, CONFIG + 0x18, 4, true, BARS + 0x10000000);
    access_at(hv, CONFIG + 4, 2, true, 2);
}

static s32 command(struct hv *hv, u32 number, u32 cell, u32 generation)
{
    struct control_request *r = manage_request(hv);
    r->command = number;
    r->cell = cell;
    r->generation = generation;
    r->state = CONTROL_SUBMITTED;
    do
        access_at(hv, BARS + CONTROL_DOORBELL, 4, true, 1);
    while (r->state == CONTROL_BUSY);
    CHECK_EQ(r->state, CONTROL_DONE);
    return r->result;
}

static s32 make(struct hv *hv, const char *name)
{
    struct sample_blob s = sample_blob(name, 1);
    memcpy(manage_request(hv)->data, &s, sizeof(s));
    manage_request(hv)->size = sizeof(s);
    return command(hv, CONTROL_CREATE, 0, 0);
}

TEST(configuration_space)
{
    struct hv *hv = fake_new(1);
    CHECK_EQ(access_at(hv, CONFIG, 4, false, 0), CONTROL_PCI_DEVICE << 16 | CONTROL_PCI_VENDOR);
    CHECK_EQ(access_at(hv, CONFIG + 2, 2, false, 0), CONTROL_PCI_DEVICE);
    CHECK_EQ(access_at(hv, CONFIG + 0x1000, 4, false, 0), ~0u);
    access_at(hv, CONFIG + 0x10, 4, true, ~0u);
    CHECK_EQ(access_at(hv, CONFIG + 0x10, 4, false, 0), ~0u << 14);
    access_at(hv, CONFIG + 0x18, 4, true, ~0u);
    CHECK_EQ(access_at(hv, CONFIG + 0x18, 4, false, 0), ~0u << 28);
    place_bars(hv);
    CHECK_EQ(access_at(hv, BARS + CONTROL_ID, 4, false, 0), CONTROL_ID_VALUE);
    u64 hpa;
    CHECK(arch_stage2_walk(hv->cell[0].stage2, BARS + 0x10000, &hpa));
    CHECK(!arch_stage2_walk(hv->cell[0].stage2, BARS, &hpa));
    access_at(hv, CONFIG + 4, 2, true, 0);
    CHECK(arch_stage2_walk(hv->cell[0].stage2, BARS, &hpa));
    CHECK_EQ(hpa, BARS);
    fake_free(hv);
}

TEST(bars_outside_of_the_window_show_nothing)
{
    struct hv *hv = fake_new(1);
    u64 hpa;
    access_at(hv, CONFIG + 0x14, 4, true, 0x80000000);
    access_at(hv, CONFIG + 4, 2, true, 2);
    CHECK(!arch_stage2_walk(hv->cell[0].stage2, 0x80000000, &hpa));
    fake_free(hv);
}

TEST(a_cell_by_commands)
{
    struct hv *hv = fake_new(4);
    struct control_request *r = manage_request(hv);
    u64 hpa;
    place_bars(hv);
    CHECK_EQ(make(hv, "cell"), 0);
    CHECK_EQ(r->cell, 1);
    u32 generation = r->generation;
    CHECK_EQ(command(hv, CONTROL_INFO, 1, 0), 0);
    CHECK_STR(((struct control_cell *)(void *)r->data)->name, "cell");
    r->args[0] = 0x80000000;
    CHECK_EQ(command(hv, CONTROL_WINDOW, 1, generation), 0);
    CHECK_EQ(r->args[1], 0x4000000);
    CHECK(arch_stage2_walk(hv->cell[0].stage2, BARS + 0x10000000, &hpa));
    CHECK_EQ(hpa, hv->cell[1].region[1].hpa);
    r->args[0] = 0x4000;
    CHECK_EQ(command(hv, CONTROL_WINDOW, 1, generation), REFUSE_INVAL);
    CHECK_EQ(command(hv, CONTROL_STOP, 1, generation + 1), REFUSE_STALE);
    CHECK_EQ(command(hv, CONTROL_STOP, 0, 0), REFUSE_INVAL);
    CHECK_STR(r->text, "cell 0 is the root cell; this is for the others");
    CHECK_EQ(command(hv, CONTROL_STOP, HV_MAX_CELLS, 0), REFUSE_INVAL);
    r->args[0] = ~0ULL;
    CHECK_EQ(command(hv, CONTROL_START, 1, generation), 0);
    CHECK_EQ(command(hv, CONTROL_RESET, 1, generation), 0);
    CHECK_EQ(command(hv, CONTROL_DESTROY, 1, generation), 0);
    CHECK(!arch_stage2_walk(hv->cell[0].stage2, BARS + 0x10000000, &hpa));
    CHECK_EQ(command(hv, CONTROL_INFO, 1, 0), REFUSE_NOENT);
    CHECK_EQ(pool_free_size(hv), FAKE_POOL_SIZE);
    fake_free(hv);
}

// Anything may be in the request, and may change at any time: the hypervisor stays whole.
TEST(requests_at_random_do_no_harm)
{
    struct hv *hv = fake_new(4);
    struct control_request *r = manage_request(hv);
    place_bars(hv);
    srand(11);
    for (int i = 0; i < 4000; i++) {
        struct sample_blob s = sample_blob("x", 1 + (u32)rand() % 3);
        for (size_t k = 0; k < sizeof(*r); k++)
            if (rand() % 16 == 0)
                ((u8 *)r)[k] = (u8)rand();
        r->command = (u32)rand() % (CONTROL_VIRTIO_BROKEN + 2);
        r->cell = (u32)rand() % 3;
        r->generation = hv->cell[r->cell].generation;
        r->size = rand() % 3 ? sizeof(s) : (u32)rand();
        r->args[0] = rand() % 2 ? ~0ULL : (u64)rand() % 8 * HV_BLOCK;
        memcpy(r->data, &s, sizeof(s));
        r->state = CONTROL_SUBMITTED;
        manage_ring(hv->cpu[0]);
        for (int n = 0; r->state == CONTROL_BUSY && n < 5000; n++) {
            r->cell = (u32)rand();
            manage_ring(hv->cpu[0]);
        }
        if (rand() % 8 == 0)
            access_at(hv, CONFIG + 0x10 + (u64)(rand() % 3) * 4, 4, true, (u32)rand());
        if (rand() % 4 == 0)
            place_bars(hv);
    }
    place_bars(hv);
    for (u32 i = 1; i < HV_MAX_CELLS; i++)
        if (hv->cell[i].state != CONTROL_CELL_NONE)
            CHECK_EQ(command(hv, CONTROL_DESTROY, i, hv->cell[i].generation), 0);
    CHECK_EQ(pool_free_size(hv), FAKE_POOL_SIZE);
    fake_free(hv);
}
