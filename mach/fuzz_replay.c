// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over every file of the directories given, as an ordinary TAP test.
#include "base/types.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static bool replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    u8 *data = malloc(1 << 20);
    size_t size = data ? fread(data, 1, 1 << 20, f) : 0;
    fclose(f);
    // An allocation of the exact size lets the sanitizer see any overrun.
    u8 *exact = data ? realloc(data, size ? size : 1) : NULL;
    if (exact)
        LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return exact;
}

int main(int argc, char **argv)
{
    int n = 0, n_failed = 0;
    for (int i = 1; i < argc; i++) {
        DIR *d = opendir(argv[i]);
        for (struct dirent *entry; d && (entry = readdir(d));) {
            char path[4096];
            snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
            if (entry->d_name[0] == '.')
                continue;
            bool ok = replay_file(path);
            n_failed += !ok;
            printf("%sok %d - %s\n", ok ? "" : "not ", ++n, entry->d_name);
        }
        if (d)
            closedir(d);
    }
    printf("1..%d\n", n);
    return n == 0 || n_failed;
}
