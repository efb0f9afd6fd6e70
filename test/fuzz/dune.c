// SPDX-License-Identifier: Apache-2.0
// Any bytes as a policy, a program or a script: parsing ends, reads nothing outside them, and what
// it accepts keeps the promises of the headers. The first byte chooses. Linked with libFuzzer, or
// with a replayer of kept inputs.
#include "base/bug.h"
#include "dune/elf.h"
#include "dune/policy.h"
#include "dune/script.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_policy(const struct policy *p)
{
    BUG_ON(p->n_paths > POLICY_PATHS);
    for (u32 i = 0; i < p->n_paths; i++) {
        size_t n = strnlen(p->paths[i].path, POLICY_PATH_SIZE);
        BUG_ON(n == 0 || n == POLICY_PATH_SIZE || p->paths[i].path[0] != '/');
        BUG_ON((policy_rights(p, p->paths[i].path) & p->paths[i].rights) != p->paths[i].rights);
    }
    for (u32 i = 0; i < POLICY_CALLS; i++)
        BUG_ON(p->action[i] > POLICY_KILL || (p->action[i] != POLICY_ALLOW && !policy_error(p, i)));
}

static void fuzz_policy(const u8 *data, size_t size)
{
    struct err e = {0};
    char *text = calloc(1, size + 1);
    struct policy *p = calloc(1, sizeof(*p));
    memcpy(text, data, size);
    bool ok = policy_parse(p, "fuzz", text, &e);
    BUG_ON(ok == err_is_set(&e));
    BUG_ON(!ok && strncmp(e.text, "fuzz:", 5));
    if (ok)
        check_policy(p);
    free(p);
    free(text);
}

static void fuzz_elf(const u8 *data, size_t size)
{
    struct err e = {0};
    struct elf elf;
    bool ok = elf_parse(&elf, data, size, &e);
    BUG_ON(ok == err_is_set(&e));
    if (!ok)
        return;
    u64 end = elf.low;
    BUG_ON(!elf.n_segments || elf.n_segments > ELF_MAX_SEGMENTS || elf.low >= elf.high);
    for (u32 i = 0; i < elf.n_segments; i++) {
        const struct elf_segment *s = elf.segments + i;
        BUG_ON(s->address < end || s->file_size > s->memory_size);
        end = s->address + s->memory_size;
        BUG_ON(end < s->address || end > elf.high || (s->address ^ s->offset) & 4095);
    }
}

static void fuzz_script(const u8 *data, size_t size)
{
    struct script s;
    if (!script_parse(&s, data, size))
        return;
    BUG_ON(!*s.interpreter || strlen(s.interpreter) >= SCRIPT_LINE ||
           strlen(s.argument) >= SCRIPT_LINE);
    BUG_ON(strpbrk(s.interpreter, " \t\n") != NULL);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (!size)
        return 0;
    switch (data[0]) {
    case 'p': fuzz_policy(data + 1, size - 1); break;
    case 'e': fuzz_elf(data + 1, size - 1); break;
    case 's': fuzz_script(data + 1, size - 1); break;
    }
    return 0;
}
