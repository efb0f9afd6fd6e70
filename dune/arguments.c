// SPDX-License-Identifier: Apache-2.0
#include "dune/arguments.h"
#include "dune/hidden.h"
#include "dune/space.h"

#include <errno.h>

char arguments_next(const char **kinds, u32 *size_at)
{
    const char *k = *kinds;
    while (*k == ' ')
        k++;
    char kind = *k;
    if (kind)
        k++;
    *size_at = *k >= '0' && *k <= '9' ? (u32)(*k++ - '0') : 0;
    *kinds = k;
    return kind;
}

long arguments_check(const struct hidden *h, const char *kinds, const u64 a[6])
{
    u32 size_at;
    for (u32 i = 0; i < 6; i++) {
        switch (arguments_next(&kinds, &size_at)) {
        case 'f':
        case 'F':
            if (hidden_has(h, a[i]))
                return -EBADF;
            break;
        case 's':
        case 'p':
        case 'v':
            if (!space_holds(a[i], 0))
                return -EFAULT;
            break;
        // A size that no mapping can have is the kernel's to refuse or to cut.
        case 'r':
        case 'w':
            if (!space_holds(a[i], 0) ||
                (a[size_at] <= SPACE_END && !space_holds(a[i], a[size_at])))
                return -EFAULT;
            break;
        case 0: return 0;
        }
    }
    return 0;
}
