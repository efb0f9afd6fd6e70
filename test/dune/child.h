// SPDX-License-Identifier: Apache-2.0
// Waiting for a child.
#pragma once

#include <errno.h>
#include <sys/wait.h>

// Its status as waitpid gives it, or -1: there is no such child.
static inline int child_status(pid_t child)
{
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}
