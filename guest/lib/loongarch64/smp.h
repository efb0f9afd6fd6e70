// SPDX-License-Identifier: Apache-2.0
// The other processors: started as an operating system does, by mailbox 0 and an interrupt from
// the loop that firmware parks them in; then each waits for work.
#pragma once

#include "base/types.h"
#include "guest/lib/loongarch64/stack.h" // MAX_CPUS

// As the command line tells (smp=N); to a payload that is the firmware, fw_cfg does.
unsigned smp_n_cpus(void);

// Starts all others. False if one does not answer within some seconds; that is reported. Calling it
// again does nothing.
bool smp_start_all(void);
unsigned smp_cpu_index(void); // of the caller

// Hands `f` to another processor and returns at once.
void smp_begin(unsigned cpu, void (*f)(void *), void *argument);
// Waits until it has returned.
void smp_finish(unsigned cpu);
// Calls f(argument) on all processors, the caller included, and waits for all.
void smp_call_all(void (*f)(void *), void *argument);
