// SPDX-License-Identifier: Apache-2.0
// What `lh doctor` says about programs in guest mode. Each writes a line and returns whether all is
// well.
#pragma once

#include "base/types.h"

bool doctor_guest_mode(char *text, size_t size);
bool doctor_dispatch(char *text, size_t size);
