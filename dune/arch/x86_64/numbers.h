// SPDX-License-Identifier: Apache-2.0
// This architecture has every call that others have.
#pragma once
