// SPDX-License-Identifier: Apache-2.0
// lh: one program, one verb each.
#include "vmm/verbs.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

// Whoever starts the program with a standard stream closed must not find a file of ours there.
static void fill_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

// A program that runs in guest mode has the streams that it was given, and none that it was not.
static bool is_for_guest(int argc, char **argv)
{
    return argc > 1 && !strcmp(argv[1], "enter");
}

int main(int argc, char **argv)
{
    if (!is_for_guest(argc, argv))
        fill_standard_streams();
    return verbs_main(argc, argv);
}
