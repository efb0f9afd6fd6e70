// SPDX-License-Identifier: Apache-2.0
// One program, one list of results: the state is a global of the payload.
#include "guest/lib/report.h"
#include "guest/lib/machine.h"
#include "guest/lib/print.h"
#include "guest/lib/sync.h"

static struct {
    struct spinlock lock;
    const char *prefixes[4];
    unsigned n_prefixes;
    unsigned n_passed, n_failed, n_expected, n_skipped;
} results;

static unsigned next_number(void)
{
    return results.n_passed + results.n_failed + results.n_expected + results.n_skipped;
}

static void print_result(const char *word, const char *format, va_list arguments)
{
    print("%s %u - ", word, next_number());
    for (unsigned i = 0; i < results.n_prefixes; i++)
        print("%s: ", results.prefixes[i]);
    print_v(format, arguments);
}

static void result(bool passed, const char *format, va_list arguments)
{
    if (passed)
        results.n_passed++;
    else
        results.n_failed++;
    print_result(passed ? "ok" : "not ok", format, arguments);
}

bool report_v(bool passed, const char *format, va_list arguments)
{
    spin_lock(&results.lock);
    result(passed, format, arguments);
    print("\n");
    spin_unlock(&results.lock);
    return passed;
}

bool report(bool passed, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report_v(passed, format, arguments);
    va_end(arguments);
    return passed;
}

bool report_eq(u64 found, u64 expected, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    spin_lock(&results.lock);
    result(found == expected, format, arguments);
    print("\n");
    if (found != expected)
        print("# found 0x%lx, expected 0x%lx\n", (unsigned long)found, (unsigned long)expected);
    spin_unlock(&results.lock);
    va_end(arguments);
    return found == expected;
}

bool report_expected_fail(bool passed, const char *reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    spin_lock(&results.lock);
    results.n_expected++;
    print_result(passed ? "ok" : "not ok", format, arguments);
    print(" # TO"
          "DO %s\n",
          reason);
    spin_unlock(&results.lock);
    va_end(arguments);
    return passed;
}

void report_skip(const char *reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    spin_lock(&results.lock);
    results.n_skipped++;
    print_result("ok", format, arguments);
    print(" # SKIP %s\n", reason);
    spin_unlock(&results.lock);
    va_end(arguments);
}

void report_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    spin_lock(&results.lock);
    print("# ");
    print_v(format, arguments);
    print("\n");
    spin_unlock(&results.lock);
    va_end(arguments);
}

void report_prefix_push(const char *prefix)
{
    if (results.n_prefixes == sizeof(results.prefixes) / sizeof(results.prefixes[0]))
        report_bail_out("too many prefixes at '%s'", prefix);
    results.prefixes[results.n_prefixes++] = prefix;
}

void report_prefix_pop(void)
{
    results.n_prefixes--;
}

unsigned report_failures(void)
{
    return results.n_failed;
}

void report_end(void)
{
    spin_lock(&results.lock);
    print("1..%u\n", next_number());
    print("# %u passed, %u failed, %u skipped\n", results.n_passed, results.n_failed,
          results.n_skipped);
    if (results.n_expected)
        print("# %u expected to fail\n", results.n_expected);
    spin_unlock(&results.lock);
}

void report_bail_out(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print("\nBail out! ");
    print_v(format, arguments);
    print("\n");
    va_end(arguments);
    machine_power_off();
}
