// SPDX-License-Identifier: Apache-2.0
// Between the files monitor*.c, and for lists of what there is: commands.
#pragma once

#include "base/text.h"
#include "cpu/inspect.h"
#include "vmm/monitor.h"
#include "vmm/monitor_words.h"

// What a command gets: its words, the machine, and where to write.
struct monitor_call {
    struct monitor *monitor;
    struct machine *machine;
    unsigned *cpu;              // the selected processor, which a command may change
    struct monitor_words words; // words.word[0] is the command
    struct text *to;
};

// False with a message.
typedef bool (*monitor_fn)(struct monitor_call *c, struct err *e);

struct monitor_command {
    const char *name, *arguments, *doc, *more; // arguments "" and more NULL: none
    unsigned min_words, max_words;             // the name not counted
    monitor_fn run;
};

// Both end with a NULL name.
extern const struct monitor_command monitor_commands[];
extern const struct monitor_command monitor_infos[]; // words.word[0] is "info", [1] the name

#define COMMAND(name, arguments, min, max, function, doc, more) \
    bool function(struct monitor_call *c, struct err *e);
#define INFO(name, arguments, min, max, function, doc) \
    bool function(struct monitor_call *c, struct err *e);
#include "vmm/monitor_commands.def"
#undef COMMAND
#undef INFO

struct cpu *monitor_cpu(const struct monitor_call *c); // the selected one
// How to look into the selected processor; NULL with a message if nobody can.
const struct cpu_inspect *monitor_inspect(const struct monitor_call *c, struct err *e);
// words.word[at] as an address: a number, registers of the selected processor included.
bool monitor_address(const struct monitor_call *c, unsigned at, u64 *value, struct err *e);
