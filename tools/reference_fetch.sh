#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# reference_fetch.sh [DIR]: the reference emulator, QEMU of a newer Debian suite with all libraries
# that it needs, extracted into DIR (default: the user's cache, longhouse/reference). Tests and
# benchmarks compare with it; nothing of ours is linked with it. tools/reference_qemu.sh runs it.
#
# Neither this nor running needs root: nothing is installed, and the programs are started through
# their own dynamic loader. What is there already is not fetched again.
set -eu

# shellcheck disable=SC2034 # read by the other script
fetch_functions_only=1
# shellcheck source=tools/guest_fetch.sh
. "$(dirname "$0")/guest_fetch.sh"

# The programs of other architectures and what only people read.
drop_the_rest() {
    find "$1/usr/bin" ! -type d ! -name 'qemu-*loongarch64' ! -name qemu-img ! -name qemu-io \
        ! -name qemu-nbd -exec rm -f {} +
    for name in sbin share/doc share/man share/locale share/info share/perl lib/systemd; do
        rm -rf "${1:?}/usr/$name"
    done
}

set_defaults
arch=$(dpkg --print-architecture)
suite=forky
out=${1:-${LH_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse}/reference}
recipe=1

[ "$(stamp complete)" != "recipe=$recipe" ] || exit 0
open_out
[ "$(stamp complete)" != "recipe=$recipe" ] || exit 0
begin
what_part="reference emulator"
progress "$what_part"
unpack_with_dependencies "$partial/tree" qemu-user qemu-system-misc qemu-utils qemu-efi-loongarch64
drop_the_rest "$partial/tree"
rm -rf "$out/tree"
install_part complete "recipe=$recipe" tree
say "the reference emulator is in $out"
