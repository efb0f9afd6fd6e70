// SPDX-License-Identifier: Apache-2.0
// System calls without the C library. The monitor runs on threads that the program made, whose
// thread pointer is the program's or nobody's, so that errno and everything else that is
// thread-local is out of its reach.
#pragma once

static inline long raw_six(long nr, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
