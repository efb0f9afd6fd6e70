#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# guest_sysroot.sh [DIR]: headers and static libraries of loong64 Linux, extracted into DIR
# (default: the user's cache, longhouse/sysroot). tools/guest_cc.sh compiles with them. What is
# there already is not fetched again.
set -eu

# shellcheck disable=SC2034 # read by the other script
fetch_functions_only=1
# shellcheck source=tools/guest_fetch.sh
. "$(dirname "$0")/guest_fetch.sh"

# The newest of the compiler's own libraries.
gcc_library() {
    apt-cache -c "$apt_dir/apt.conf" pkgnames libgcc- 2> "$log" |
        grep -x 'libgcc-[0-9]*-dev' | sort -t - -k 2n | tail -n 1
}

set_defaults
out=${1:-${LH_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse}/sysroot}
recipe=3

[ "$(stamp complete)" != "recipe=$recipe" ] || exit 0
open_out
[ "$(stamp complete)" != "recipe=$recipe" ] || exit 0
begin
what_part=sysroot
progress "$what_part"
# shellcheck disable=SC2046 # one word or none
unpack "$partial/tree" libc6 libc6-dev linux-libc-dev libgcc-s1 libcrypt-dev libfdt1 libfdt-dev \
    zlib1g zlib1g-dev libzstd1 libzstd-dev $(gcc_library)
rm -rf "$partial/tree/usr/share"
# The links that the linker would prefer to static libraries.
rm -f "$partial"/tree/usr/lib/*/libfdt.so "$partial"/tree/usr/lib/*/libz.so \
    "$partial"/tree/usr/lib/*/libzstd.so
# The linker looks in the places of a merged /usr.
for name in lib lib64; do
    [ ! -d "$partial/tree/usr/$name" ] || [ -e "$partial/tree/$name" ] ||
        ln -s "usr/$name" "$partial/tree/$name"
done
rm -rf "$out/tree"
install_part complete "recipe=$recipe" tree
say "the sysroot of $arch is in $out"
