# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# tree_disk.sh: what the scripts share that make a disk of Debian packages of loong64. They source
# it, and it sources guest_fetch.sh: its functions are there, too.
#
# The packages are unpacked and not configured. No program of loong64 is run, nothing is installed.

# shellcheck disable=SC2034 # read by the other script
fetch_functions_only=1
# shellcheck source=tools/guest_fetch.sh
. "$(dirname "$0")/guest_fetch.sh"

# A merged /usr, and the places that the guest mounts something at.
complete_tree() {
    for name in bin sbin lib lib64; do
        [ ! -d "$1/usr/$name" ] || [ -e "$1/$name" ] || ln -s "usr/$name" "$1/$name"
    done
    for name in dev mnt proc run sys tmp; do
        mkdir -p "$1/$name"
    done
}

# With half of the space left over and no journal: it is only ever read.
make_image() { # TREE FILE LABEL
    size=$(du -sk "$1" | cut -f 1)
    mke2fs -q -t ext4 -O ^has_journal -L "$3" -E lazy_itable_init=0,root_owner=0:0 -d "$1" "$2" \
        "$((size + size / 2))k" > "$log" 2>&1 || die "cannot make ${2##*/}: $(reason)"
}

# Ends the script if the recipe's work is there already; else work on it in $partial begins.
begin_recipe() { # RECIPE WHAT
    stamp_text="recipe=$1"
    [ "$(stamp complete)" != "$stamp_text" ] || exit 0
    lack=
    check_tools mke2fs:e2fsprogs
    [ -z "$lack" ] || die "needs programs that are not here; install them: apt-get install$lack"
    open_out
    [ "$(stamp complete)" != "$stamp_text" ] || exit 0
    begin
    what_part=$2
    progress "$what_part"
}

# make_disk NAME RECIPE WHAT: $out/NAME.ext4 of the tree that the function fill_tree makes in the
# directory that it is given. What is there already is not made again.
make_disk() {
    begin_recipe "$2" "$3"
    fill_tree "$partial/tree"
    complete_tree "$partial/tree"
    make_image "$partial/tree" "$partial/$1.ext4" "$1"
    install_part complete "$stamp_text" "$1.ext4"
    say "$what_part is in $out"
}
