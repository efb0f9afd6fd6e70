#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# nested_fetch.sh [DIR]: qemu.ext4, a disk for a loong64 guest that runs guests of its own: Debian's
# QEMU of loong64, firmware and stress-ng with all libraries that they need, in DIR (default: the user's cache,
# longhouse/nested). Whoever mounts it finds a tree to chroot into, without a shell.
set -eu

# shellcheck source=tools/tree_disk.sh
. "$(dirname "$0")/tree_disk.sh"

# The programs of other architectures, their firmware, and what only people read.
drop_the_rest() {
    find "$1/usr/bin" ! -type d ! -name qemu-system-loongarch64 ! -name stress-ng -exec rm -f {} +
    for name in sbin share/doc share/man share/locale share/info share/perl share/seabios \
        lib/systemd lib/ipxe; do
        rm -rf "${1:?}/usr/$name"
    done
    find "$1/usr/share/qemu" -type f -size +256k -exec rm -f {} +
}

fill_tree() {
    unpack_with_dependencies "$1" qemu-system-misc qemu-efi-loongarch64 stress-ng
    drop_the_rest "$1"
}

set_defaults
out=${1:-${LH_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse}/nested}
make_disk qemu 2 "QEMU of loong64"
