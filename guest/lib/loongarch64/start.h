// SPDX-License-Identifier: Apache-2.0
// What start-up calls, and the two modes of translation.
#pragma once

// The test. Afterwards the plan is printed and the machine switched off.
int main(void);

// May be defined by a test: called on each processor with translation off, before any control
// register is written (the others come from a parking loop that has written some).
void start_early(unsigned cpu);

// Translation on, with the two windows of board.h: main finds it so.
void start_mapped(void);
// Translation off. Addresses of the windows mean the same.
void start_direct(void);
