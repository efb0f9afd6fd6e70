// SPDX-License-Identifier: Apache-2.0
// Sets everything up for a program and runs it: what `lh enter` does once its options are read.
#pragma once

#include "base/err.h"
#include "base/types.h"

struct load;
struct settings;

// Does not return when the program could be started.
bool launch_program(struct settings *s, struct load *l, struct err *e);
