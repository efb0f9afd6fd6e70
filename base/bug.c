// SPDX-License-Identifier: Apache-2.0
#include "base/bug.h"

#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Status 2 is "internal error" of the command-line contract.
_Noreturn void bug(const char *file, int line, const char *what)
{
    void *frames[32];
    fprintf(stderr, "lh: internal error: %s:%d: %s\n", file, line, what);
    backtrace_symbols_fd(frames, backtrace(frames, 32), STDERR_FILENO);
    _exit(2);
}
