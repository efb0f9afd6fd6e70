// SPDX-License-Identifier: Apache-2.0
// What a program may ask of the kernel: a text, read into a structure without pointers that is
// handed on to every program that is executed. What no line allows is refused.
//
//     profile pure          # what to begin with: none, pure, ro, rw, net
//     allow CALL... GROUP   # calls by name, groups in parentheses: (io)
//     deny CALL... EPERM    # with that error; EPERM if none is named
//     kill CALL...          # ends the process
//     log CALL...           # as decided by other lines, with a message
//     read PATH             # files below may be opened for reading and looked at,
//     write PATH            # changed and made,
//     exec PATH             # executed
#pragma once

#include "base/err.h"
#include "base/types.h"

struct call;
struct thread;

enum policy_action { POLICY_DENY, POLICY_ALLOW, POLICY_KILL };
enum { POLICY_READ = 1, POLICY_WRITE = 2, POLICY_EXEC = 4 };
enum { POLICY_CALLS = 512, POLICY_PATHS = 64, POLICY_PATH_SIZE = 256 };

struct policy_path {
    char path[POLICY_PATH_SIZE]; // absolute, without a slash at the end but for "/"
    u8 rights;
};

struct policy {
    u8 action[POLICY_CALLS];
    u8 error[POLICY_CALLS]; // for POLICY_DENY
    bool logs[POLICY_CALLS];
    u32 n_paths;
    struct policy_path paths[POLICY_PATHS];
};

// Reads a policy from a text; `name` is for messages, which say line and column.
bool policy_parse(struct policy *p, const char *name, const char *text, struct err *e);
// Begins with a named profile; false when there is none of that name.
bool policy_profile(struct policy *p, const char *name);

// The rights that lines of the policy give for a file of that name, absolute and without links.
u8 policy_rights(const struct policy *p, const char *path);
// What becomes of a call by its number alone: 0 or the error.
long policy_error(const struct policy *p, u64 number);

// 0 when the call may be made, or the -errno that the program sees; does not return when the
// process ends. A NULL policy allows everything.
long policy_judge(struct thread *t, const struct policy *p, const struct call *c, u64 number,
                  const u64 a[6]);
