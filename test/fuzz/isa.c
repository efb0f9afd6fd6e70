// SPDX-License-Identifier: Apache-2.0
// The decoder and its kin on foreign bytes: any word decodes, disassembles into its buffer and, if
// it is an instruction, assembles to itself again; any text assembles or is refused.
#include "isa/loongarch64.h"
#include "base/bits.h"
#include "base/bug.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

// The text up to the comment that names a branch's target.
static void check_round_trip(u32 word, u64 pc)
{
    char text[96];
    struct la_insn insn;
    struct err e = {0};
    u32 again;
    la_decode(word, &insn);
    size_t n = la_disassemble(word, pc, text, sizeof(text));
    BUG_ON(n >= sizeof(text) || strlen(text) != n);
    BUG_ON(!la_assemble(text, pc, &again, &e) || again != word);
}

// A buffer that is too small is cut, not overrun.
static void check_small_buffer(u32 word, size_t size)
{
    char *text = malloc(size);
    la_disassemble(word, 0, text, size);
    BUG_ON(strlen(text) >= size);
    free(text);
}

static void check_text(const u8 *data, size_t size)
{
    char *line = strndup((const char *)data, size);
    struct err e = {0};
    u32 word;
    BUG_ON(la_assemble(line, 0x1000, &word, &e) == err_is_set(&e));
    free(line);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    for (size_t i = 0; i + 4 <= size && i < 4096; i += 4) {
        u32 word = (u32)load_le(data + i, 4);
        check_round_trip(word, 0x9000000000200000 + i);
        check_small_buffer(word, 1 + word % 24);
    }
    check_text(data, size);
    return 0;
}
