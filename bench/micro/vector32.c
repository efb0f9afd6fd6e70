// SPDX-License-Identifier: Apache-2.0
// Loops on vectors of 32 bytes: LASX in the guest.
#define VECTOR_SIZE 32
#include "bench/micro/vector.h"
