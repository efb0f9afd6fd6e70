// SPDX-License-Identifier: Apache-2.0
// The host's pages, as a constant.
#pragma once

#if defined(__loongarch64)
enum { PAGE = 16384 };
#else
enum { PAGE = 4096 };
#endif
