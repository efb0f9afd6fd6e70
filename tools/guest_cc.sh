#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# guest_cc.sh ARGUMENT...: clang for loong64 Linux programs, with the headers and libraries of
# guest_sysroot.sh, which it fetches when they are not there. LH_SYSROOT names the directory to take
# them from. Programs are static, unless -pie or -static-pie is among the arguments.
#
# Exit status: the compiler's; 125 when the sysroot could not be fetched.
set -eu
sysroot=${LH_SYSROOT:-${LH_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse}/sysroot}
[ -f "$sysroot/.complete" ] || sh "$(dirname "$0")/guest_sysroot.sh" "$sysroot" || exit 125
for gcc in "$sysroot"/tree/usr/lib/gcc/loongarch64-linux-gnu/*; do break; done
link=-static
for argument; do
    case $argument in
        -pie | -static-pie) link= ;;
    esac
done
# shellcheck disable=SC2086 # no word when empty
exec clang-19 --target=loongarch64-linux-gnu --sysroot="$sysroot/tree" --gcc-install-dir="$gcc" \
    -fuse-ld=lld-19 -Wno-unused-command-line-argument $link "$@"
