// SPDX-License-Identifier: Apache-2.0
// `lh enter` on hosts that the process sandbox does not know.
#include "dune/enter.h"

#include <stdio.h>

int enter_main(int argc, char **argv)
{
    fprintf(stderr,
            "lh enter: this program was built for a host on which it cannot run programs in "
            "guest mode; x86-64 hosts can\n");
    return 1;
}
