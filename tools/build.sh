#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh [TARGET...]: configures $BUILD (default build/) when needed and builds everything, or the
# targets. Installs the packages of the build first; targets can do without the compiler of images,
# which is large. Says nothing when there is nothing to do; V=1 shows every command.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}

die() {
    printf 'build: %s\n' "$*" >&2
    exit 1
}

# Runs a command of the configuration; what it prints is seen only when it fails.
configure() {
    echo "build: configuring $build" >&2
    mkdir -p "$build"
    if [ -n "${V-}" ]; then
        "$@" >&2 || die "configuring failed"
    else
        "$@" > "$build/setup.log" 2>&1 || {
            tail -n 12 "$build/setup.log" >&2
            die "configuring failed; $build/setup.log has it all"
        }
    fi
}

up_to_date() { # TARGET...
    ninja -C "$build" -n "$@" 2> /dev/null | grep -q 'no work to do'
}

# Whether packages were installed after meson had last looked for what it needs.
packages_changed() {
    [ ! -f "$build/.configured" ] ||
        [ -n "$(find /var/lib/dpkg/status -newer "$build/.configured" 2> /dev/null)" ]
}

groups='build image'
[ $# -eq 0 ] || groups=build
# shellcheck disable=SC2086 # one word per group
sh tools/install_packages.sh $groups
if [ ! -f "$build/build.ninja" ]; then
    configure meson setup "$build"
    touch "$build/.configured"
elif packages_changed; then
    configure meson setup --reconfigure "$build"
    touch "$build/.configured"
fi
# ninja would do this by itself, and show all of meson's output.
up_to_date build.ninja || configure ninja -C "$build" build.ninja

[ -z "${V-}" ] || exec ninja -C "$build" -v "$@"
! up_to_date "$@" || exit 0
# On a terminal ninja keeps one status line; elsewhere it would print a line per file.
echo "build: compiling in $build" >&2
quiet=--quiet
[ ! -t 1 ] || quiet=
# shellcheck disable=SC2086 # no word when empty
ninja -C "$build" $quiet "$@" || die "failed"
