#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cpython_fetch.sh [DIR]: Python of this machine's own Debian with its test suite, in DIR (default:
# the user's cache, longhouse/cpython): tree/, and the file `program`, which names the interpreter in
# it. test/dune/cpython_test.py runs it on the host and in guest mode.
#
# Nothing is installed: the interpreter finds its library beside itself. What is there already is
# not fetched again.
set -eu

# shellcheck disable=SC2034 # read by the other script
fetch_functions_only=1
# shellcheck source=tools/guest_fetch.sh
. "$(dirname "$0")/guest_fetch.sh"

set_defaults
arch=$(dpkg --print-architecture)
# shellcheck disable=SC1091,SC2034 # this machine's; read by the other script
suite=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
out=${1:-${LH_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse}/cpython}
recipe=1

[ "$(stamp complete)" != "recipe=$recipe" ] || exit 0
open_out
[ "$(stamp complete)" != "recipe=$recipe" ] || exit 0
begin
what_part="Python and its tests"
progress "$what_part"
python=$(apt-cache -c "$apt_dir/apt.conf" depends python3-minimal 2> "$log" |
    sed -n "s/^ *\(Pre\)*Depends: \(python3\.[0-9]*\)-minimal\$/\2/p" | head -n 1)
[ -n "$python" ] || die "the archive has no Python: $(reason)"
unpack "$partial/tree" "$python-minimal" "lib$python-minimal" "lib$python-stdlib" "lib$python-testsuite"
printf 'tree/usr/bin/%s\n' "$python" > "$partial/program"
rm -rf "${out:?}/tree"
install_part complete "recipe=$recipe" tree program
say "$what_part are in $out"
