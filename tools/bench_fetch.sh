#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench_fetch.sh [DIR]: the real programs that `make bench` measures, in DIR (default: the user's
# cache, longhouse/bench): programs.ext4, a disk of loong64 that a guest mounts and changes its root
# to, and native/, the same versions of the same programs for this machine with a script in bin/
# that starts each. The compiler is in both the one that makes code for loong64, so that both do the
# same work.
#
# Nothing is installed and no program of loong64 is run. What is there already is not fetched again.
set -eu

# shellcheck source=tools/tree_disk.sh
. "$(dirname "$0")/tree_disk.sh"

programs="python3 sqlite3 xz-utils zstd bzip2 cpp-16-loongarch64-linux-gnu"

drop_the_rest() {
    for name in sbin share/doc share/man share/locale share/info share/perl share/gcc lib/systemd; do
        rm -rf "${1:?}/usr/$name"
    done
}

# The programs of the tree need its loader and its libraries; this machine's may be older.
write_starters() { # TREE BIN
    mkdir "$2"
    for libraries in "$1"/usr/lib/*-linux-gnu*/libc.so.6; do break; done
    libraries=${libraries%/*}
    for loader in "$1"/usr/lib*/ld-linux*.so.* "$libraries"/ld-linux*.so.*; do
        [ ! -e "$loader" ] || break
    done
    for program in bin/python3 bin/sqlite3 bin/xz bin/zstd bin/bzip2 \
        libexec/gcc/loongarch64-linux-gnu/16/cc1 libexec/gcc-cross/loongarch64-linux-gnu/16/cc1; do
        [ -e "$1/usr/$program" ] || continue
        cat > "$2/${program##*/}" << END
#!/bin/sh
t=\${0%/*}/../native
export PYTHONHOME="\$t/usr"
exec "\$t${loader#"$1"}" --library-path "\$t${libraries#"$1"}" "\$t/usr/$program" "\$@"
END
        chmod 755 "$2/${program##*/}"
    done
}

set_defaults
out=${1:-${LH_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse}/bench}
begin_recipe 1 "programs to measure"
# shellcheck disable=SC2086 # one word per package
unpack_with_dependencies "$partial/tree" $programs
drop_the_rest "$partial/tree"
complete_tree "$partial/tree"
make_image "$partial/tree" "$partial/programs.ext4" programs
arch=$(dpkg --print-architecture)
rm -rf "$apt_dir"
make_apt
# shellcheck disable=SC2086 # one word per package
unpack_with_dependencies "$partial/native" $programs
drop_the_rest "$partial/native"
write_starters "$partial/native" "$partial/bin"
rm -rf "${out:?}/native" "${out:?}/bin"
install_part complete "$stamp_text" programs.ext4 native bin
say "$what_part are in $out"
