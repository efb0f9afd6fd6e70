#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_inputs.sh: fetches what the tests compare with and run, into $LH_CACHE (default: the user's
# cache, longhouse/): the Debian guest, the reference emulator, the loong64 sysroot, QEMU of loong64,
# kexec, CPython with its tests, git and CPython of loong64, and a Debian with systemd, which $BUILD/lh
# (default build/lh) runs once to configure it. What is there already is not fetched again. Tests must
# not write to these files: they copy what they change.
#
# What cannot be fetched is said in one line and not an error here: the tests that need it skip,
# and count as failed where LH_TEST_REQUIRE is set.
set -u
lh=$(realpath "${BUILD:-build}")/lh
cd "$(dirname "$0")" || exit 1
cache=${LH_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse}
suite=forky

sh guest_fetch.sh --arch loong64 --suite $suite --out "$cache/guest/loong64-$suite" \
    --rootfs --firmware
sh reference_fetch.sh "$cache/reference"
sh guest_sysroot.sh "$cache/sysroot"
sh nested_fetch.sh "$cache/nested"
sh crash_fetch.sh "$cache/crash"
sh cpython_fetch.sh "$cache/cpython"
sh programs_fetch.sh "$cache/programs"
sh distro_fetch.sh "$lh" "$cache/distro"
exit 0
