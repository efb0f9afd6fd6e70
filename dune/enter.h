// SPDX-License-Identifier: Apache-2.0
// `lh enter`: runs a program in guest mode.
#pragma once

// What follows the verb; the exit status, if the program did not start.
int enter_main(int argc, char **argv);
