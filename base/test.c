// SPDX-License-Identifier: Apache-2.0
#include "base/test.h"

struct test_state test_state;

bool test_check(bool ok, const char *file, int line, const char *what)
{
    if (!ok) {
        test_state.n_failed_checks++;
        printf("# %s:%d: not true: %s\n", file, line, what);
    }
    return ok;
}

bool test_check_eq(u64 a, u64 b, const char *file, int line, const char *what)
{
    if (a == b)
        return true;
    test_state.n_failed_checks++;
    printf("# %s:%d: %s: 0x%" PRIx64 " and 0x%" PRIx64 "\n", file, line, what, a, b);
    return false;
}

bool test_check_str(const char *a, const char *b, const char *file, int line, const char *what)
{
    if (!strcmp(a, b))
        return true;
    test_state.n_failed_checks++;
    printf("# %s:%d: %s is \"%s\", wanted \"%s\"\n", file, line, what, a, b);
    return false;
}

static bool is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strstr(name, argv[i]))
            return true;
    return argc < 2;
}

static bool run_one(const struct test *t, int number)
{
    test_state.n_failed_checks = 0;
    test_state.skip_reason = NULL;
    t->run();
    bool ok = !test_state.n_failed_checks;
    printf("%sok %d - %s", ok ? "" : "not ", number, t->name);
    if (test_state.skip_reason)
        printf(" # SKIP %s", test_state.skip_reason);
    printf("\n");
    fflush(stdout);
    return ok;
}

int main(int argc, char **argv)
{
    int n = 0, n_failed = 0;
    for (const struct test *t = test_state.first; t; t = t->next)
        if (is_wanted(t->name, argc, argv))
            n_failed += !run_one(t, ++n);
    printf("1..%d\n", n);
    return n_failed ? 1 : 0;
}
