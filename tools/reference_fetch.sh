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

# write_starter TREE PROGRAM: a script that starts the program with the loader and the libraries of
# the tree beside it; this machine's are older. QEMU looks for its files beside the program that it
# finds itself to be, which is the loader, so that it is told where they are.
write_starter() {
    for libraries in "$1"/usr/lib/*-linux-gnu*; do break; done
    for loader in "$1"/usr/lib*/ld-linux*.so.* "$libraries"/ld-linux*.so.*; do
        [ ! -e "$loader" ] || break
    done
    files=
    # shellcheck disable=SC2016 # expanded by the starter
    case $2 in
        qemu-system-*) files='-L "$t/usr/share/qemu" -L "$t/usr/share/qemu-efi-loongarch64" ' ;;
    esac
    cat << END
#!/bin/sh
t=\${0%/*}/../tree
export QEMU_MODULE_DIR="\$t${libraries#"$1"}/qemu"
exec "\$t${loader#"$1"}" --library-path "\$t${libraries#"$1"}" "\$t/usr/bin/$2" $files"\$@"
END
}

write_starters() { # TREE BIN
    mkdir "$2"
    for program in "$1"/usr/bin/*; do
        program=${program##*/}
        write_starter "$1" "$program" > "$2/$program"
        chmod 755 "$2/$program"
    done
}

set_defaults
arch=$(dpkg --print-architecture)
suite=forky
out=${1:-${LH_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse}/reference}
recipe=2

[ "$(stamp complete)" != "recipe=$recipe" ] || exit 0
open_out
[ "$(stamp complete)" != "recipe=$recipe" ] || exit 0
begin
what_part="reference emulator"
progress "$what_part"
unpack_with_dependencies "$partial/tree" qemu-user qemu-system-misc qemu-utils qemu-efi-loongarch64
drop_the_rest "$partial/tree"
write_starters "$partial/tree" "$partial/bin"
rm -rf "${out:?}/tree" "${out:?}/bin"
install_part complete "recipe=$recipe" tree bin
say "the reference emulator is in $out"
