// SPDX-License-Identifier: Apache-2.0
// `lh run`: one machine from the command line to its end.
#pragma once

// argv[0] is the first word after "run". Returns the exit status: 0 the guest powered off or the
// user quit, 1 the user's fault, 3 the guest panicked and -no-reboot was given.
int run_main(int argc, char **argv);
