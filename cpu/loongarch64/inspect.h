// SPDX-License-Identifier: Apache-2.0
// How the interpreter's processors are looked into.
#pragma once

#include "cpu/inspect.h"

extern const struct cpu_inspect la_inspect;
