// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/types.h"

// Tells builds apart in messages and dumps: a hash of the image's own text.
extern u64 build_fingerprint;
