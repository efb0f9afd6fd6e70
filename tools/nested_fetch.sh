#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# nested_fetch.sh [DIR]: qemu.ext4, a disk for a loong64 guest that runs guests of its own: Debian's
# QEMU of loong64, firmware and stress-ng with all libraries that they need, in DIR (default: the user's cache,
# longhouse/nested). Whoever mounts it finds a tree to chroot into, without a shell.
#
# Nothing is installed and no program of loong64 is run. What is there already is not fetched again.
set -eu

# shellcheck disable=SC2034 # read by the other script
fetch_functions_only=1
# shellcheck source=tools/guest_fetch.sh
. "$(dirname "$0")/guest_fetch.sh"

# The programs of other architectures, their firmware, and what only people read.
drop_the_rest() {
    find "$1/usr/bin" ! -type d ! -name qemu-system-loongarch64 ! -name stress-ng -exec rm -f {} +
    for name in sbin share/doc share/man share/locale share/info share/perl share/seabios \
        lib/systemd lib/ipxe; do
        rm -rf "${1:?}/usr/$name"
    done
    find "$1/usr/share/qemu" -type f -size +256k -exec rm -f {} +
}

# A merged /usr, and the places that the guest mounts something at.
complete_tree() {
    for name in lib lib64; do
        [ ! -d "$1/usr/$name" ] || [ -e "$1/$name" ] || ln -s "usr/$name" "$1/$name"
    done
    for name in dev proc sys tmp; do
        mkdir -p "$1/$name"
    done
}

# With half of the space left over and no journal: it is only ever read.
make_image() { # TREE FILE
    size=$(du -sk "$1" | cut -f 1)
    mke2fs -q -t ext4 -O ^has_journal -L nested -E lazy_itable_init=0 -d "$1" "$2" \
        "$((size + size / 2))k" > "$log" 2>&1 || die "cannot make ${2##*/}: $(reason)"
}

set_defaults
out=${1:-${LH_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse}/nested}
recipe=2

[ "$(stamp complete)" != "recipe=$recipe" ] || exit 0
lack=
check_tools mke2fs:e2fsprogs
[ -z "$lack" ] || die "needs programs that are not here; install them: apt-get install$lack"
open_out
[ "$(stamp complete)" != "recipe=$recipe" ] || exit 0
begin
what_part="QEMU of loong64"
progress "$what_part"
unpack_with_dependencies "$partial/tree" qemu-system-misc qemu-efi-loongarch64 stress-ng
drop_the_rest "$partial/tree"
complete_tree "$partial/tree"
make_image "$partial/tree" "$partial/qemu.ext4"
install_part complete "recipe=$recipe" qemu.ext4
say "$what_part is in $out"
