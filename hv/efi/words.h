// SPDX-License-Identifier: Apache-2.0
// What a user tells the application, in its load options or in a file beside it: words name=value.
#pragma once

#include "base/types.h"

#define WORDS_NAME_SIZE    128
#define WORDS_OPTIONS_SIZE 512

struct words {
    char system[WORDS_NAME_SIZE]; // file of the machine's description
    char next[WORDS_NAME_SIZE];   // program to start afterwards; empty: none
    char next_options[WORDS_OPTIONS_SIZE];
    u64 pool_size;  // 0: as the description says
    bool shows_cpu; // says what the processor has, and does nothing else
};

void words_init(struct words *w);
// Words are separated by blanks and line ends; '#' hides the rest of a line. What follows next= on
// its line is for that program. False: `why` says which word is wrong.
bool words_parse(struct words *w, const char *text, char *why, u32 why_size);
// The words among load options, which are UTF-16 and may begin with the program's name. False:
// there are none, or they are no text.
bool words_of_options(char *to, u32 size, const u16 *options, u32 options_size);
