// SPDX-License-Identifier: Apache-2.0
// What windows.c has to know about the processor: windows_x86_64.c, windows_loongarch64.c. The
// child is traced and stopped.
#pragma once

#include "base/types.h"

#include <sys/types.h>

// An instruction that stops the child, and how far behind its start the child then is.
#if defined(__loongarch64)
#define WINDOW_BREAK "break 0"
enum { WINDOW_BREAK_WORD = 0x002a0000, WINDOW_BREAK_SIZE = 4, WINDOW_BEHIND_BREAK = 0 };
#else
#define WINDOW_BREAK "int3"
enum { WINDOW_BREAK_WORD = 0xcc, WINDOW_BREAK_SIZE = 1, WINDOW_BEHIND_BREAK = 1 };
#endif

// Long windows are looked at in steps of so many instructions.
extern const int window_stride;

// Of a child that was just started.
void window_prepare(pid_t child);
u64 window_pc(pid_t child);
void window_set_pc(pid_t child, u64 pc);
// Whether it is about to make the system call KVM_RUN.
bool window_enters_guest(pid_t child);
// Executes one instruction. False when something else happened.
bool window_step(pid_t child);
// Whether a stop with that status was of no importance; the child can go on.
bool window_settles(pid_t child, int status);

// windows.c: the first bytes at an address of the child's text, and other ones for them.
u64 window_peek(pid_t child, u64 at);
void window_poke(pid_t child, u64 at, u64 bytes, u64 mask);
