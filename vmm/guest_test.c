// SPDX-License-Identifier: Apache-2.0
#include "vmm/guest.h"
#include "base/test.h"

TEST(the_script_is_whole)
{
    CHECK(!strncmp(guest_fetch_script, "#!/bin/sh\n", 10));
    const char *last = "\nmain \"$@\"\n";
    size_t n = strlen(guest_fetch_script);
    REQUIRE(n > strlen(last));
    CHECK_STR(guest_fetch_script + n - strlen(last), last);
}

static bool is_listed(const char *program, size_t n_program, const char *package, size_t n_package)
{
    for (const struct guest_program *p = guest_programs; p->name; p++)
        if (strlen(p->name) == n_program && !memcmp(p->name, program, n_program) &&
            strlen(p->package) == n_package && !memcmp(p->package, package, n_package))
            return true;
    return false;
}

// The words "program:package" behind `at`, over lines that end with a backslash.
static unsigned check_pairs(const char *at)
{
    unsigned n_pairs = 0;
    while (*at && *at != '\n') {
        at += strspn(at, " \\");
        if (at[-1] == '\\' && *at == '\n')
            at++;
        size_t n = strcspn(at, " \n\\"), n_program = strcspn(at, ":");
        if (n_program < n) {
            bool listed = is_listed(at, n_program, at + n_program + 1, n - n_program - 1);
            if (!CHECK(listed))
                printf("# %.*s\n", (int)n, at);
            n_pairs++;
        }
        at += n;
    }
    return n_pairs;
}

TEST(the_programs_it_checks_are_listed)
{
    unsigned n_pairs = 0, n_listed = 0;
    const char *at = guest_fetch_script;
    while ((at = strstr(at, "check_tools "))) {
        at += strlen("check_tools ");
        n_pairs += check_pairs(at);
    }
    for (const struct guest_program *p = guest_programs; p->name; p++)
        n_listed++;
    CHECK_EQ(n_pairs, n_listed);
}
