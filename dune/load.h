// SPDX-License-Identifier: Apache-2.0
// Puts a program into the guest's part of the address space. Runs before any guest does, on an
// ordinary thread.
#pragma once

#include "base/err.h"
#include "base/types.h"

struct policy;
struct space;

struct load {
    const char *file;       // what is opened
    char *const *arguments; // the program's own
    char *const *environment;
    const struct policy *policy; // NULL: any interpreter will do
    bool is_again;               // a file named by descriptor was kept open for this only
    // Results.
    const char *shown; // the file's name as the program knows it
    char name[4096];
    u64 entry, sp;
    u64 text[3];          // arguments begin, environment begins, environment ends
    u64 code[2], data[2]; // of the program itself
};

bool load_program(struct space *s, struct load *l, struct err *e);
