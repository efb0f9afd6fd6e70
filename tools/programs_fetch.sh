#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# programs_fetch.sh [DIR]: programs.ext4, a disk for a loong64 guest: git, and CPython with its own
# tests, with a shell and all that they need, in DIR (default: the user's cache, longhouse/programs).
# Whoever mounts it finds a tree to chroot into. test/dune/loong64_programs_test.py runs them.
set -eu

# shellcheck source=tools/tree_disk.sh
. "$(dirname "$0")/tree_disk.sh"

# What configuring would have written, as far as these programs ask for it.
write_accounts() {
    cat > "$1/etc/passwd" << 'END'
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
END
    printf '%s\n' root:x:0: daemon:x:1: bin:x:2: nogroup:x:65534: > "$1/etc/group"
    echo '127.0.0.1 localhost guest' > "$1/etc/hosts"
    echo guest > "$1/etc/hostname"
}

fill_tree() {
    python=$(apt-cache -c "$apt_dir/apt.conf" depends python3-minimal 2> "$log" |
        sed -n "s/^ *\(Pre\)*Depends: \(python3\.[0-9]*\)-minimal\$/\2/p" | head -n 1)
    [ -n "$python" ] || die "the archive has no Python: $(reason)"
    unpack_with_dependencies "$1" base-files bash coreutils dash diffutils findutils gawk git grep gzip \
        hostname mount netbase procps sed tar util-linux "$python" "lib$python-testsuite"
    for name in doc info locale man; do
        rm -rf "${1:?}/usr/share/$name"
    done
    mkdir -p "$1/etc" "$1/root"
    write_accounts "$1"
    ln -sf "$python" "$1/usr/bin/python3"
    ln -sf gawk "$1/usr/bin/awk"
    [ -e "$1/usr/bin/sh" ] || ln -s dash "$1/usr/bin/sh"
}

set_defaults
out=${1:-${LH_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse}/programs}
make_disk programs 1 "a disk with git and CPython's tests"
