// SPDX-License-Identifier: Apache-2.0
#include "dune/doctor.h"
#include "dune/check.h"

#include <stdio.h>
#include <string.h>

// Above this the other way of forwarding is faster on every host that was measured.
enum { SLOW_NS = 4000 };

struct us {
    char text[28];
};

static struct us us_of(u64 ns)
{
    struct us us;
    snprintf(us.text, sizeof(us.text), "%llu.%llu us", (unsigned long long)ns / 1000,
             (unsigned long long)ns / 100 % 10);
    return us;
}

// " (hvcl 1.5 us, iocsr 1.7 us)", or nothing where one cannot choose.
static void put_doors(char text[128], const struct check *c)
{
    int n = 0;
    text[0] = 0;
    for (int i = 0; i < c->n_doors; i++)
        n += snprintf(text + n, 128 - (size_t)n, "%s%s %s", i ? ", " : " (", c->doors[i].name,
                      us_of(c->doors[i].exit_ns).text);
    if (n)
        snprintf(text + n, 128 - (size_t)n, ")");
}

bool doctor_guest_mode(char *text, size_t size)
{
    struct check c;
    char doors[128];
    check_host(&c);
    if (c.kvm_error) {
        snprintf(text, size, "/dev/kvm: cannot %s: %s (lh enter wants it, or --backend sud)",
                 c.what, strerror(c.kvm_error));
        return false;
    }
    put_doors(doors, &c);
    snprintf(text, size, "%s; %s for one and back%s, %s for an empty entry%s (lh enter)", c.way,
             us_of(c.exit_ns).text, doors, us_of(c.run_ns).text,
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
        snprintf(text, size, "%s for a system call and back (lh enter --backend sud)",
                 us_of(c.sud_ns).text);
    return !c.sud_error;
}
