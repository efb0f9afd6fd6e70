// SPDX-License-Identifier: Apache-2.0
#include "dune/doctor.h"
#include "dune/check.h"

#include <stdio.h>
#include <string.h>

// Above this the other way of forwarding is faster on every host that was measured.
enum { SLOW_NS = 4000 };

bool doctor_guest_mode(char *text, size_t size)
{
    struct check c;
    check_host(&c);
    if (c.kvm_error) {
        snprintf(text, size, "/dev/kvm: cannot %s: %s (lh enter wants it, or --backend sud)",
                 c.what, strerror(c.kvm_error));
        return false;
    }
    snprintf(text, size,
             "%s; %llu.%llu us for one and back, %llu.%llu us for an empty "
             "entry%s (lh enter)",
             c.way, (unsigned long long)c.exit_ns / 1000, (unsigned long long)c.exit_ns / 100 % 10,
             (unsigned long long)c.run_ns / 1000, (unsigned long long)c.run_ns / 100 % 10,
             c.exit_ns > SLOW_NS ? "; slow: without a policy --backend sud is faster" : "");
    return true;
}

bool doctor_dispatch(char *text, size_t size)
{
    struct check c;
    check_host(&c);
    if (c.sud_error)
        snprintf(text, size, "no syscall user dispatch: %s (lh enter --backend sud)",
                 strerror(c.sud_error));
    else
        snprintf(text, size, "%llu.%llu us for a system call and back (lh enter --backend sud)",
                 (unsigned long long)c.sud_ns / 1000, (unsigned long long)c.sud_ns / 100 % 10);
    return !c.sud_error;
}
