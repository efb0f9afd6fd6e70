// SPDX-License-Identifier: Apache-2.0
// The second wall: a seccomp filter on the monitor itself, so that what the policy allows to nobody
// cannot be done by a monitor that was tricked either. It stays over exec, and needs that no
// program gains privileges any more.
#pragma once

#include "base/err.h"
#include "base/types.h"

struct policy;

bool wall_build(const struct policy *p, struct err *e);
// The filter alone: `to` holds at most `most` instructions; their number, or 0 if there are more.
struct sock_filter;
u32 wall_write(const struct policy *p, struct sock_filter *to, u32 most);
