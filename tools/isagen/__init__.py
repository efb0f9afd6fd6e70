# SPDX-License-Identifier: Apache-2.0
"""Turns an instruction description (isa/*.isa) into C tables."""
