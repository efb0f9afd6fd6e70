#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# crash_fetch.sh [DIR]: what a loong64 guest needs to have a crash kernel: Debian's kexec and the C
# library that it needs, in DIR (default: the user's cache, longhouse/crash).
#
# Nothing is installed and no program of loong64 is run. What is there already is not fetched again.
set -eu

# shellcheck disable=SC2034 # read by the other script
fetch_functions_only=1
# shellcheck source=tools/guest_fetch.sh
. "$(dirname "$0")/guest_fetch.sh"

set_defaults
out=${1:-${LH_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse}/crash}
recipe=1
files='kexec libc.so.6 ld-linux-loongarch-lp64d.so.1'

[ "$(stamp complete)" != "recipe=$recipe" ] || exit 0
open_out
[ "$(stamp complete)" != "recipe=$recipe" ] || exit 0
begin
what_part="kexec of loong64"
progress "$what_part"
unpack_with_dependencies "$partial/tree" kexec-tools
for name in $files; do
    # Links lead to names within their folder.
    pick "$name" "$(find "$partial/tree/usr/sbin" "$partial/tree/usr/lib" -name "$name" | head -n 1)"
done
# shellcheck disable=SC2086 # one word per file
install_part complete "recipe=$recipe" $files
say "$what_part is in $out"
