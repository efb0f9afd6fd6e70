// SPDX-License-Identifier: Apache-2.0
#include "test/diff/known.h"

#include "isa/loongarch64.h"

static const struct {
    u16 op;
    const char *reason;
} known[] = {
    {LA_INVALID, "every word that is no instruction"},
};

const char *known_difference(u32 word)
{
    struct la_insn i;
    la_decode(word, &i);
    for (unsigned n = 0; n < ARRAY_LEN(known); n++)
        if (known[n].op == i.op)
            return known[n].reason;
    return NULL;
}
