// SPDX-License-Identifier: Apache-2.0
// What a -drive text means.
#pragma once

#include "base/types.h"
#include "base/err.h"

#define DRIVE_ID_MAX 63

enum drive_interface { DRIVE_VIRTIO, DRIVE_PFLASH, DRIVE_NONE };

// Strings point into the text that was parsed; NULL: not given.
struct drive_option {
    const char *file; // never NULL
    const char *id;
    enum drive_interface interface;
    int unit; // -1: the next free one
    bool is_readonly;
};

// "file=FILE[,if=virtio|pflash|none][,format=raw][,id=ID][,unit=N][,readonly=on|off][,media=disk]";
// the text is changed. Messages do not quote the whole text: the caller does.
bool drive_option_parse(struct drive_option *d, char *text, struct err *e);
