// SPDX-License-Identifier: Apache-2.0
// Names for translated code in the file that perf reads (tools/perf/Documentation/jit-interface.txt
// of Linux): a line with address, size and name for each block.
#include "jit/cache.h"
#include "base/bug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct perf_map {
    FILE *file;
};

struct perf_map *perf_map_new(struct err *e)
{
    char path[64];
    snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
    FILE *file = fopen(path, "wx");
    if (!file) {
        err_set(e, "'%s': %s", path, strerror(errno));
        return NULL;
    }
    struct perf_map *m = calloc(1, sizeof(*m));
    BUG_ON(!m);
    m->file = file;
    return m;
}

void perf_map_add(struct perf_map *m, const void *code, size_t size, u64 pa)
{
    if (m)
        fprintf(m->file, "%llx %zx guest_0x%llx\n", (unsigned long long)(uintptr_t)code, size,
                (unsigned long long)pa);
}

void perf_map_free(struct perf_map *m)
{
    if (!m)
        return;
    fclose(m->file);
    free(m);
}
