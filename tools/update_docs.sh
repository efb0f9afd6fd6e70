#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# update_docs.sh: makes again what the documents take from the tree: doc/instructions.md and
# doc/pictures/. With --transcript also doc/transcript.txt, from a boot of the fetched guest;
# README.md shows parts of that one and is to be mended by hand.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
cache=${LH_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse}

# Through a second file, so that a failure leaves the document as it was.
make_again() { # FILE COMMAND...
    file=$1
    shift
    "$@" > "$build/update_docs.tmp"
    cp "$build/update_docs.tmp" "$file"
}

ninja -C "$build" --quiet lh test/diff/diff
make_again doc/instructions.md \
    python3 -B tools/gen_instructions.py isa/loongarch64.isa "$build/test/diff/diff"
python3 -B tools/draw_pictures.py .
if [ "${1-}" = --transcript ]; then
    make_again doc/transcript.txt \
        python3 -B tools/record_transcript.py "$build/lh" "$cache/guest/loong64-forky"
fi
