// SPDX-License-Identifier: Apache-2.0
// Replays the kept inputs of every target, and some made of random numbers:
// `mmio_replay CORPUS [TARGET]`. One TAP line per target.
#include "test/fuzz/mmio.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define N_RANDOM    200
#define RANDOM_SIZE 512

// Returns false if the file cannot be read.
static bool replay_file(const struct mmio_target *t, const char *dir, const char *name)
{
    char path[4096];
    u8 input[MMIO_MAX_INPUT];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    size_t n = fread(input, 1, sizeof(input), f);
    bool is_ok = !ferror(f);
    fclose(f);
    if (is_ok)
        mmio_run(t, input, n);
    return is_ok;
}

// The number of files replayed, or -1.
static int replay_dir(const struct mmio_target *t, const char *corpus)
{
    char dir[2048];
    int n = 0;
    snprintf(dir, sizeof(dir), "%s/%s", corpus, t->name);
    DIR *d = opendir(dir);
    if (!d)
        return -1;
    for (struct dirent *e; n >= 0 && (e = readdir(d));)
        if (e->d_name[0] != '.')
            n = replay_file(t, dir, e->d_name) ? n + 1 : -1;
    closedir(d);
    return n;
}

static u64 next_random(u64 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static void run_random(const struct mmio_target *t)
{
    u64 state = 0x9e3779b97f4a7c15;
    u8 input[RANDOM_SIZE];
    for (unsigned i = 0; i < N_RANDOM; i++) {
        for (unsigned k = 0; k < sizeof(input); k++)
            input[k] = next_random(&state) >> 32;
        mmio_run(t, input, sizeof(input));
    }
}

int main(int argc, char **argv)
{
    int n = 0, n_failed = 0;
    for (size_t i = 0; argc > 1 && mmio_target_at(i); i++) {
        const struct mmio_target *t = mmio_target_at(i);
        if (argc > 2 && strcmp(argv[2], t->name))
            continue;
        int n_files = replay_dir(t, argv[1]);
        run_random(t);
        n_failed += n_files < 0;
        printf("%sok %d - %s # %d kept inputs, %d random ones\n", n_files < 0 ? "not " : "", ++n,
               t->name, n_files, N_RANDOM);
        fflush(stdout);
    }
    printf("1..%d\n", n);
    return n_failed || !n;
}
