// SPDX-License-Identifier: Apache-2.0
// Hosts that nothing is translated for.
#include "jit/jit.h"

bool jit_is_possible(struct err *e)
{
    return err_set(e, "there is no translator for this host's processor; use -accel interp");
}

struct jit *jit_new(struct mem_space *mem, struct log *log, const struct jit_options *options,
                    struct err *e)
{
    jit_is_possible(e);
    return NULL;
}

void jit_add_cpu(struct jit *j, struct la_cpu *c)
{
}

void jit_free(struct jit *j)
{
}

bool jit_counts_insns(const struct jit *j)
{
    return false;
}

void jit_show(const struct jit *j, struct text *to)
{
}
