// SPDX-License-Identifier: Apache-2.0
#include "vmm/panic_watch.h"
#include "base/clock.h"

#define QUIET   NS_PER_SEC
#define LONGEST (10 * NS_PER_SEC)

static const char message[] = "Kernel panic - not syncing";

// The message has no other 'K' than the one it begins with, so after a mismatch only the character
// at hand can begin it anew.
static bool match(struct panic_place *p, char c)
{
    if (c != message[p->n_matched])
        p->n_matched = 0;
    if (c == message[p->n_matched])
        p->n_matched++;
    if (message[p->n_matched])
        return false;
    p->n_matched = 0;
    return true;
}

void panic_watch_tell(struct panic_watch *w, u64 now)
{
    // Times before has_panicked, so that nobody takes earlier ones for the end of the output.
    w->last_output_at = now;
    if (!w->has_panicked)
        w->panicked_at = now;
    w->has_panicked = true;
}

void panic_watch_note(struct panic_watch *w, struct panic_place *p, const void *bytes, size_t n,
                      u64 now)
{
    w->last_output_at = now;
    for (size_t i = 0; i < n; i++)
        if (match(p, ((const char *)bytes)[i]))
            panic_watch_tell(w, now);
}

bool panic_watch_is_over(const struct panic_watch *w, u64 now)
{
    return w->has_panicked && (now >= w->last_output_at + QUIET || now >= w->panicked_at + LONGEST);
}
