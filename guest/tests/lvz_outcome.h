// SPDX-License-Identifier: Apache-2.0
// Instructions of a guest and what has to come of each: it runs, raises in the guest, or exits.
#pragma once

#include "guest/lib/loongarch64/lvz.h"
#include "guest/lib/report.h"

#define GUEST(code) (LVZ_GUEST | (code))
#define PLV3_DIRECT (CRMD_DA | 3)

// The exception, EXC_NONE if it runs, at level 0 and at level 3.
struct outcome {
    const char *name;
    u32 word;
    unsigned plv0, plv3;
};

static inline void check_outcomes(struct vcpu *v, const struct outcome *o, unsigned n, u64 address)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned found = lvz_word(v, CRMD_DA, o[i].word, address, 0);
        bool passed = found == o[i].plv0;
        if (found == EXC_GSPR || found == EXC_HVC)
            passed = passed && v->badi == o[i].word && v->era == (u64)lvz_word_address();
        report(passed, "%s at level 0", o[i].name);
        if (!passed)
            report_note("found 0x%x, expected 0x%x, badi 0x%lx", found, o[i].plv0, v->badi);
        found = lvz_word(v, PLV3_DIRECT, o[i].word, address, 0);
        report_outcome(v, found, o[i].plv3, "%s at level 3", o[i].name);
    }
}
