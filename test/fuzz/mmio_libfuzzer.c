// SPDX-License-Identifier: Apache-2.0
// The search for new inputs, by libFuzzer:
//
//   ninja -C build test/fuzz/fuzz_mmio
//   LH_FUZZ_DEVICE=pch-pic build/test/fuzz/fuzz_mmio -max_len=256 NEW test/fuzz/corpus/pch-pic
//
// What it finds goes to the directory NEW; -merge=1 keeps from there what the corpus lacks.
#include "test/fuzz/mmio.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *input, size_t size);

static const struct mmio_target *chosen;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = getenv("LH_FUZZ_DEVICE");
    chosen = name ? mmio_target_find(name) : NULL;
    if (chosen)
        return 0;
    fprintf(stderr, "LH_FUZZ_DEVICE has to be one of:");
    for (size_t i = 0; mmio_target_at(i); i++)
        fprintf(stderr, " %s", mmio_target_at(i)->name);
    fprintf(stderr, "\n");
    exit(1);
}

int LLVMFuzzerTestOneInput(const u8 *input, size_t size)
{
    mmio_run(chosen, input, size);
    return 0;
}
