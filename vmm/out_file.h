// SPDX-License-Identifier: Apache-2.0
// A file of the user's that is written when everything else was accepted: opened at first without
// any change to it, so that one which cannot be written is found in time.
//
//     out_file_open -> out_file_begin -> ... -> out_file_close
//                   -> out_file_close                             leaves no trace
#pragma once

#include "base/err.h"
#include "base/types.h"

struct out_file {
    const char *path; // borrowed; NULL: not open
    int fd;
    bool is_new, has_begun;
};

// False with the reason. With `lock` the file is this process's alone, and one that another process
// has is refused.
bool out_file_open(struct out_file *f, const char *path, bool lock, struct err *e);
// Empties it: from now on it has what is written to f->fd.
void out_file_begin(struct out_file *f);
// Accepts a zeroed file. With `remove` it goes from the directory as well.
void out_file_close(struct out_file *f, bool remove);
