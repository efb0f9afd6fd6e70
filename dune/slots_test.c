// SPDX-License-Identifier: Apache-2.0
#include "dune/slots.h"
#include "base/test.h"

#include <errno.h>

#define CHUNK 0x4000000ULL

static struct slots s;
static u32 n_added;
static int answer;

static int add(void *opaque, u32 index, const struct slot *slot)
{
    n_added++;
    CHECK(opaque == &n_added);
    CHECK_EQ(slot->gpa & 4095, 0);
    return answer;
}

static void begin(void)
{
    n_added = 0;
    answer = 0;
    slots_init(&s, CHUNK, add, &n_added);
}

TEST(a_chunk_is_added_once)
{
    begin();
    u64 gpa = slots_gpa(&s, 5 * CHUNK + 0x3000);
    CHECK_EQ(gpa, SLOTS_FIRST_GPA + 0x3000);
    CHECK_EQ(slots_gpa(&s, 6 * CHUNK - 1), SLOTS_FIRST_GPA + CHUNK - 1);
    CHECK_EQ(n_added, 1);
    CHECK_EQ(slots_gpa(&s, 2 * CHUNK), SLOTS_FIRST_GPA + CHUNK);
    CHECK_EQ(n_added, 2);
    CHECK(slots_find(&s, 5 * CHUNK) && !slots_find(&s, 4 * CHUNK));
}

TEST(ranges_take_whole_chunks_of_addresses)
{
    begin();
    CHECK_EQ(slots_add(&s, 0x7ff000001000, 0x8000), 0);
    CHECK_EQ(slots_gpa(&s, 0x7ff000002345), SLOTS_FIRST_GPA + 0x1345);
    CHECK_EQ(slots_gpa(&s, CHUNK), SLOTS_FIRST_GPA + CHUNK);
    CHECK(!slots_find(&s, 0x7ff000009000));
}

// The vDSO may lie there.
TEST(the_last_page_has_an_address_and_the_next_has_none)
{
    begin();
    u64 last = ARCH_TASK_END - ARCH_PAGE, start = last & ~(CHUNK - 1);
    CHECK_EQ(slots_gpa(&s, last), SLOTS_FIRST_GPA + (last - start));
    CHECK_EQ(s.list[0].hva + s.list[0].size, ARCH_TASK_END);
    CHECK_EQ(slots_gpa(&s, last + ARCH_PAGE), 0);
    CHECK_EQ(s.n, 1);
}

TEST(refusals_leave_no_trace)
{
    begin();
    answer = -ENOMEM;
    CHECK_EQ(slots_gpa(&s, CHUNK), 0);
    CHECK_EQ(slots_add(&s, 0, 4096), -ENOMEM);
    CHECK_EQ(s.n, 0);
    answer = 0;
    CHECK_EQ(slots_gpa(&s, CHUNK), SLOTS_FIRST_GPA);
}

TEST(there_is_an_end)
{
    begin();
    for (u64 i = 0; i < SLOTS_MAX; i++)
        if (!CHECK(slots_gpa(&s, i * CHUNK) != 0))
            return;
    CHECK_EQ(slots_gpa(&s, SLOTS_MAX * CHUNK), 0);
    CHECK_EQ(slots_add(&s, 0x7f0000000000, 4096), -ENOSPC);
}

TEST(another_vm_is_told_the_same)
{
    begin();
    slots_gpa(&s, 0);
    slots_gpa(&s, 9 * CHUNK);
    n_added = 0;
    CHECK_EQ(slots_replay(&s), 0);
    CHECK_EQ(n_added, 2);
    answer = -EINVAL;
    CHECK_EQ(slots_replay(&s), -EINVAL);
}
