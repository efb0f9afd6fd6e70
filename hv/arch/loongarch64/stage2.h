// SPDX-License-Identifier: Apache-2.0
// The functions are those of hv/arch.h.
#pragma once

#include "hv/hv.h"
