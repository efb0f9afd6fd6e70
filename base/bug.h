// SPDX-License-Identifier: Apache-2.0
// Our own faults. The check stays on in release builds; it says where, and aborts.
#pragma once

_Noreturn void bug(const char *file, int line, const char *what);

#define BUG(what) bug(__FILE__, __LINE__, what)
#define BUG_ON(cond)                        \
    do {                                    \
        if (__builtin_expect(!!(cond), 0))  \
            bug(__FILE__, __LINE__, #cond); \
    } while (0)
