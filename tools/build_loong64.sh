#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build_loong64.sh [TARGET...]: the program for loong64 Linux, static, as $BUILD_LOONG64/lh (default
# build-loong64/lh), and other targets: clang with the headers and libraries of guest_sysroot.sh,
# which are fetched when they are not there. V=1 shows every command.
#
# Exit status 125: the compiler or the sysroot cannot be had.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD_LOONG64:-build-loong64}
sysroot=${LH_SYSROOT:-${LH_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse}/sysroot}

die() {
    printf 'build: %s\n' "$*" >&2
    exit 1
}

write_cross_file() {
    cat << END
[binaries]
c = ['sh', '$PWD/tools/guest_cc.sh']
ar = 'ar'
strip = 'true'
pkgconfig = 'pkg-config'

[built-in options]
c_args = ['-fPIE']

[properties]
sys_root = '$sysroot/tree'
pkg_config_libdir = '$sysroot/tree/usr/lib/loongarch64-linux-gnu/pkgconfig'

[host_machine]
system = 'linux'
cpu_family = 'loongarch64'
cpu = 'loongarch64'
endian = 'little'
END
}

# What a command prints is seen only when it fails.
quietly() { # LOG COMMAND...
    log=$1
    shift
    if [ -n "${V-}" ]; then
        "$@" >&2
    else
        "$@" > "$log" 2>&1 || {
            tail -n 20 "$log" >&2
            return 1
        }
    fi
}

sh tools/install_packages.sh build image || exit 125
sh tools/guest_sysroot.sh "$sysroot" || exit 125
sysroot=$(cd "$sysroot" && pwd)
LH_SYSROOT=$sysroot
export LH_SYSROOT
cross=$(write_cross_file)
# A directory that was set up with another cross file is of no use: everything in it is made anew.
if [ ! -f "$build/build.ninja" ] || [ "$cross" != "$(cat "$build/cross" 2> /dev/null)" ]; then
    echo "build: configuring $build" >&2
    [ ! -f "$build/build.ninja" ] || [ -f "$build/cross" ] || die "$build is a build of something else"
    [ ! -f "$build/cross" ] || rm -rf "$build"
    mkdir -p "$build"
    printf '%s\n' "$cross" > "$build/cross"
    quietly "$build/setup.log" meson setup --cross-file "$build/cross" "$build" || die "configuring failed"
fi
quietly "$build/ninja.log" ninja -C "$build" lh "$@" || die "building failed"
