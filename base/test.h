// SPDX-License-Identifier: Apache-2.0
// A test program: tests register themselves, main runs them and prints TAP.
//
//     TEST(adds_with_carry) { CHECK_EQ(add(1, 2), 3); }
//
// `prog NAME...` runs only the tests whose names contain one of the words. A failed check prints
// place and values, and the test goes on; `REQUIRE` leaves the test. SKIP says why and leaves.
#pragma once

#include "base/types.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};

struct test_state {
    struct test *first, **last;
    int n_failed_checks;
    const char *skip_reason;
};

// One program, one state: the only mutable global of a test program.
extern struct test_state test_state;

#define TEST(id)                                                      \
    static void test_##id(void);                                      \
    __attribute__((constructor)) static void test_register_##id(void) \
    {                                                                 \
        static struct test t = {#id, test_##id, NULL};                \
        if (!test_state.last)                                         \
            test_state.last = &test_state.first;                      \
        *test_state.last = &t;                                        \
        test_state.last = &t.next;                                    \
    }                                                                 \
    static void test_##id(void)

#define CHECK(cond) test_check((cond), __FILE__, __LINE__, #cond)
#define REQUIRE(cond)     \
    do {                  \
        if (!CHECK(cond)) \
            return;       \
    } while (0)
#define CHECK_EQ(a, b)  test_check_eq((u64)(a), (u64)(b), __FILE__, __LINE__, #a " == " #b)
#define CHECK_STR(a, b) test_check_str((a), (b), __FILE__, __LINE__, #a)
#define SKIP(reason)                       \
    do {                                   \
        test_state.skip_reason = (reason); \
        return;                            \
    } while (0)

bool test_check(bool ok, const char *file, int line, const char *what);
bool test_check_eq(u64 a, u64 b, const char *file, int line, const char *what);
bool test_check_str(const char *a, const char *b, const char *file, int line, const char *what);
