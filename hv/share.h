// SPDX-License-Identifier: Apache-2.0
// Memory that cells share, and the doorbells beside it. hv->lock held, but for the doorbell's own
// registers.
#pragma once

#include "hv/cell.h"

// The share with this tag, made if there is none yet; the cell becomes a member.
s32 share_join(struct cell *c, u32 tag, u64 size, u64 *hpa, struct why *w);
// The cell is a member of none any more; what has no member left goes back to the pool.
void share_leave(struct cell *c);
// Whether another cell has that region of shared memory as well.
bool share_has_others(const struct cell *c, u32 tag);

void doorbell_add(struct cell *c, u64 gpa, u32 tag, u32 vector);
