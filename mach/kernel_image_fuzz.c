// SPDX-License-Identifier: Apache-2.0
// Any bytes as a kernel file: parsing ends, reads nothing outside them, and what it accepts keeps
// the promises of kernel_image.h. Linked with libFuzzer, or with fuzz_replay.c as an ordinary test.
#include "mach/kernel_image.h"

#include "base/bug.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_image(const struct kernel_image *k)
{
    bool has_entry = false;
    u64 end = 0;
    volatile u8 sink = 0;
    BUG_ON(!k->form || !k->n_segments || k->n_segments > KERNEL_MAX_SEGMENTS);
    for (unsigned i = 0; i < k->n_segments; i++) {
        const struct kernel_segment *s = &k->segments[i];
        BUG_ON(!s->size || s->data_size > s->size || s->base < end);
        end = s->base + s->size;
        BUG_ON(end < s->base);
        if (k->entry >= s->base && k->entry < end)
            has_entry = true;
        for (u64 j = 0; j < s->data_size; j++)
            sink ^= s->data[j];
    }
    BUG_ON(!has_entry || k->entry % 4);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct kernel_image k;
    struct err e = {0};
    bool ok = kernel_image_parse(&k, data, size, &e);
    BUG_ON(ok == err_is_set(&e));
    e = (struct err){0};
    BUG_ON(kernel_image_check_efi(data, size, &e) == err_is_set(&e));
    if (!ok)
        return 0;
    check_image(&k);
    kernel_image_free(&k);
    return 0;
}
