// SPDX-License-Identifier: Apache-2.0
// Loops on vectors of 16 bytes: LSX in the guest.
#define VECTOR_SIZE 16
#include "bench/micro/vector.h"
