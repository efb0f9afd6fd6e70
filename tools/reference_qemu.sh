#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# reference_qemu.sh PROGRAM ARGUMENT...: runs a program of the reference emulator, for instance
# qemu-loongarch64 or qemu-system-loongarch64, fetching it when it is not there. Its firmware is
# named with -bios QEMU_EFI.fd. LH_REFERENCE names the directory to take it from.
#
# Exit status: the program's; 125 when it could not be fetched.
set -eu
reference=${LH_REFERENCE:-${LH_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse}/reference}
tree=$reference/tree
[ -f "$reference/.complete" ] || sh "$(dirname "$0")/reference_fetch.sh" "$reference" || exit 125

program=$1
shift
# The loader of the tree, not this machine's: the tree's C library is newer. QEMU looks for its
# files beside the program that it finds itself to be, which is the loader.
case $program in
    qemu-system-*)
        set -- -L "$tree/usr/share/qemu" -L "$tree/usr/share/qemu-efi-loongarch64" "$@"
        ;;
esac
for libraries in "$tree"/usr/lib/*-linux-gnu*; do break; done
export QEMU_MODULE_DIR="$libraries/qemu"
for loader in "$tree"/usr/lib*/ld-linux*.so.* "$libraries"/ld-linux*.so.*; do
    [ ! -e "$loader" ] || break
done
exec "$loader" --library-path "$libraries" "$tree/usr/bin/$program" "$@"
