// SPDX-License-Identifier: Apache-2.0
// -chardev TYPE,id=ID[,...]: a console by another grammar than -serial's, and a name for it.
#pragma once

#include "base/err.h"
#include "base/types.h"

struct chardev_option {
    char *id, *console; // owned; `console` is for console_new
};

//     socket,id=c0,path=/run/c,server=on,wait=off -> c0, unix:/run/c,server=on,wait=off
bool chardev_option_parse(struct chardev_option *c, const char *text, struct err *e);
void chardev_option_free(struct chardev_option *c);
