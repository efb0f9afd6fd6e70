// SPDX-License-Identifier: Apache-2.0
// `lh guest fetch`: the script tools/guest_fetch.sh, which the program carries within itself.
#pragma once

extern const char guest_fetch_script[];

// The programs that the script calls, and the Debian packages that have them.
struct guest_program {
    const char *name, *package;
};

extern const struct guest_program guest_programs[]; // ends with a NULL name
