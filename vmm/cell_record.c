// SPDX-License-Identifier: Apache-2.0
#include "vmm/cell_record.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/run/longhouse"

// Names have passed the check of descriptions: they hold no slash.
static void path_of(char path[96], const char *name)
{
    snprintf(path, 96, FOLDER "/%.32s.cell", name);
}

void cell_record_write(const struct cell_record *r)
{
    char path[96];
    mkdir("/run", 0755);
    mkdir(FOLDER, 0755);
    path_of(path, r->description.head.name);
    FILE *f = fopen(path, "wbe");
    if (!f)
        return;
    fwrite(r, sizeof(*r), 1, f);
    fclose(f);
}

bool cell_record_read(struct cell_record *r, const char *name, u32 generation)
{
    char path[96];
    path_of(path, name);
    FILE *f = fopen(path, "rbe");
    bool is_good = f && fread(r, sizeof(*r), 1, f) == 1 && r->generation == generation &&
                   !strncmp(r->description.head.name, name, CELL_NAME_SIZE);
    if (f)
        fclose(f);
    return is_good;
}

void cell_record_remove(const char *name)
{
    char path[96];
    path_of(path, name);
    unlink(path);
}
