#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# reference_qemu.sh PROGRAM ARGUMENT...: runs a program of the reference emulator, for instance
# qemu-loongarch64, and fetches it before when it is not there (reference_fetch.sh). LH_REFERENCE
# names the directory to take it from.
#
# Exit status: the program's; 125 when it could not be fetched.
set -eu
reference=${LH_REFERENCE:-${LH_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse}/reference}
[ -d "$reference/bin" ] || sh "$(dirname "$0")/reference_fetch.sh" "$reference" || exit 125
program=$reference/bin/$1
shift
exec "$program" "$@"
