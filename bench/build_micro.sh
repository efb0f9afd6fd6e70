#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build_micro.sh DIR: compiles bench/micro for this machine, as DIR/micro, and for the guest, as
# DIR/micro-loong64 (tools/guest_cc.sh). Says nothing when both are newer than the sources.
#
# Scalar workloads are compiled without vectors and without contracted multiplications, the others
# for the vectors of each machine. CC is this machine's compiler (cc).
set -eu
cd "$(dirname "$0")/.."
out=${1:?usage: build_micro.sh DIR}
warnings="-std=gnu11 -Wall -Wextra -Wno-unused-parameter -D_GNU_SOURCE -I."
scalar="-O2 -fno-tree-vectorize -fno-tree-slp-vectorize -ffp-contract=off"
vector="-O3 -ffp-contract=fast"

is_current() {
    for made in "$out/micro" "$out/micro-loong64"; do
        [ -f "$made" ] && [ -z "$(find bench/micro bench/build_micro.sh -newer "$made")" ] || return 1
    done
}

# flags_of FILE HOST|GUEST
flags_of() {
    case $1:$2 in
        vector16:guest) echo "$vector -mlsx" ;;
        vector32:guest) echo "$vector -mlasx" ;;
        vector*:host) echo "$vector -march=native" ;;
        *:guest) echo "$scalar -mno-lsx" ;;
        *) echo "$scalar" ;;
    esac
}

# build HOST|GUEST PROGRAM COMPILER...
build() {
    side=$1 program=$2
    shift 2
    objects=
    mkdir -p "$out/$side.objects"
    for source in bench/micro/*.c; do
        name=${source##*/}
        name=${name%.c}
        # shellcheck disable=SC2046,SC2086 # one word per flag
        "$@" $warnings $(flags_of "$name" "$side") -c "$source" -o "$out/$side.objects/$name.o"
        objects="$objects $out/$side.objects/$name.o"
    done
    # shellcheck disable=SC2086 # one word per object
    "$@" -static -s $objects -lm -pthread -o "$program.new"
    mv "$program.new" "$program"
}

! is_current || exit 0
mkdir -p "$out"
build host "$out/micro" "${CC:-cc}"
build guest "$out/micro-loong64" sh tools/guest_cc.sh
