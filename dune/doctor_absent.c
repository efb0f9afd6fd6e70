// SPDX-License-Identifier: Apache-2.0
#include "dune/doctor.h"

#include <stdio.h>

bool doctor_guest_mode(char *text, size_t size)
{
    snprintf(text, size, "not built for this host (lh enter)");
    return false;
}

bool doctor_dispatch(char *text, size_t size)
{
    snprintf(text, size, "not built for this host (lh enter --backend sud)");
    return false;
}
