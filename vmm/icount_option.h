// SPDX-License-Identifier: Apache-2.0
// -icount: whether time is counted in instructions, and how long one takes.
#pragma once

#include "base/err.h"
#include "vmm/run_options.h"

struct icount_option {
    bool is_on;
    unsigned shift; // an instruction takes 2^shift ns
};

// "on", "off" or "shift=N"; NULL is off. False with a message that names the option.
bool icount_option_parse(struct icount_option *i, const char *text, struct err *e);

// What does not go with counted time: processors of the host, and networks. False with a message.
bool icount_option_check(const struct run_options *o, struct err *e);
