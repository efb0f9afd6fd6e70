#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh [TARGET...]: configures $BUILD (default build/) when needed and builds everything, or the
# targets. Installs the packages of the build first. Says nothing when there is nothing to do; V=1
# shows every command.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}

die() {
    printf 'build: %s\n' "$*" >&2
    exit 1
}

# What was looked for and not found may have been installed since, so the stamp is as old as the
# answers are.
configure() { # meson's further arguments
    mkdir -p "$build"
    if [ -n "${V-}" ]; then
        meson setup "$@" "$build"
    else
        meson setup "$@" "$build" > "$build/setup.log" 2>&1 || {
            tail -n 12 "$build/setup.log" >&2
            die "configuring failed; $build/setup.log has it all"
        }
    fi
    touch "$build/.configured"
}

up_to_date() { # TARGET...
    ninja -C "$build" -n "$@" 2> /dev/null | grep -q 'no work to do'
}

sh tools/install_packages.sh build
if [ ! -f "$build/build.ninja" ]; then
    echo "build: configuring $build" >&2
    configure
elif [ ! -f "$build/.configured" ] ||
    [ -n "$(find /var/lib/dpkg/status -newer "$build/.configured" 2> /dev/null)" ]; then
    configure --reconfigure
elif ! up_to_date build.ninja; then # ninja would do it, and show all of meson's output
    configure --reconfigure
fi

[ -z "${V-}" ] || exec ninja -C "$build" -v "$@"
! up_to_date "$@" || exit 0
# On a terminal ninja keeps one status line; elsewhere it would print a line per file.
echo "build: compiling in $build" >&2
quiet=--quiet
[ ! -t 1 ] || quiet=
# shellcheck disable=SC2086 # no word when empty
ninja -C "$build" $quiet "$@" || die "failed"
