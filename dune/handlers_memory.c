// SPDX-License-Identifier: Apache-2.0
// Calls that change or name mappings: see space.h.
#include "dune/calls.h"
#include "dune/handlers.h"
#include "dune/process.h"
#include "dune/space.h"
#include "dune/thread.h"

#include <errno.h>
#include <sys/mman.h>

static struct space *space_of(struct thread *t)
{
    return t->process->space;
}

HANDLER(mmap)
{
    if (a[5] & (SPACE_PAGE - 1))
        return -EINVAL;
    return space_map(space_of(t), a[0], a[1], (int)a[2], (int)a[3], (int)a[4], a[5]);
}

HANDLER(mprotect)
{
    return space_protect(space_of(t), a[0], a[1], (int)a[2]);
}

HANDLER(munmap)
{
    return space_unmap(space_of(t), a[0], a[1]);
}

HANDLER(mremap)
{
    return space_remap(space_of(t), a[0], a[1], a[2], (int)a[3], a[4]);
}

HANDLER(brk)
{
    return space_brk(space_of(t), a[0]);
}

HANDLER(range)
{
    return space_holds(a[0], a[1]) ? calls_forward(t, number, a) : -ENOMEM;
}

// Pages that are poisoned, or lent to a fork in other ways, stay the kernel's affair; guard pages
// would be mappings that the account does not know.
HANDLER(madvise)
{
    enum { GUARD_INSTALL = 102 };
    if ((int)a[2] == GUARD_INSTALL)
        return -EINVAL;
    return call_range(t, number, a);
}

HANDLER(shmat)
{
    return space_attach(space_of(t), (int)a[0], a[1], (int)a[2]);
}

HANDLER(shmdt)
{
    return space_detach(space_of(t), a[0]);
}

// There are no protection keys in a guest.
HANDLER(pkey_mprotect)
{
    return (int)a[3] == -1 ? space_protect(space_of(t), a[0], a[1], (int)a[2]) : -EINVAL;
}

HANDLER(pkey_alloc)
{
    enum { PKEY_FREE = 331 };
    return number == PKEY_FREE ? -EINVAL : -ENOSPC;
}
