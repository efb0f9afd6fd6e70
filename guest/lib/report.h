// SPDX-License-Identifier: Apache-2.0
// Results, in the Test Anything Protocol: one line each, numbered, the plan at the end.
//
//     report_prefix_push("timer");
//     report(n == 3, "fires %u times", n);     ok 1 - timer: fires 3 times
//     report_prefix_pop();
//
// Any processor may report. Tests that check the same thing a thousand times count the failures
// and report once.
#pragma once

#include "base/types.h"

#include <stdarg.h>

// Returns `passed`.
__attribute__((format(printf, 2, 3))) bool report(bool passed, const char *format, ...);
bool report_v(bool passed, const char *format, va_list arguments);
// Fails with both values told.
__attribute__((format(printf, 3, 4))) bool report_eq(u64 found, u64 expected, const char *format,
                                                     ...);
// A test that fails today for the reason given; when it passes, that is told.
__attribute__((format(printf, 3, 4))) bool report_expected_fail(bool passed, const char *reason,
                                                                const char *format, ...);
__attribute__((format(printf, 2, 3))) void report_skip(const char *reason, const char *format, ...);
// A line for the reader; no result.
__attribute__((format(printf, 1, 2))) void report_note(const char *format, ...);

// Put before every name until popped; at most four, borrowed.
void report_prefix_push(const char *prefix);
void report_prefix_pop(void);

unsigned report_failures(void); // so far

// Prints the plan; nothing may be reported afterwards.
void report_end(void);
// The payload cannot go on: says so and switches the machine off.
__attribute__((format(printf, 1, 2))) _Noreturn void report_bail_out(const char *format, ...);
