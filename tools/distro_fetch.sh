#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# distro_fetch.sh LH [DIR]: a Debian with systemd, compilers and interpreters, in DIR (default: the
# user's cache, longhouse/distro): vmlinuz, initrd.img and system.ext4. What can only be configured
# by its own programs is configured by a machine that LH runs, which takes minutes when that is the
# interpreter. What is there already is not made again, and an interrupted run is gone on with.
#
# DISTRO_OPTIONS are more options for `lh run`, for instance "-accel interp".
set -eu

# shellcheck disable=SC2034 # read by the other script
fetch_functions_only=1
# shellcheck source=tools/guest_fetch.sh
. "$(dirname "$0")/guest_fetch.sh"

packages=systemd-sysv,systemd-resolved,dbus,udev,libpam-systemd,login,passwd,mount,iproute2,gcc,libc6-dev
packages=$packages,python3,nodejs,luajit,apt-utils

# Runs in the guest, when all packages are configured. Root has no password, networks are
# configured by DHCP, and what needs kernel modules, which stay in the initramfs, is left out.
write_setup() {
    cat << 'END'
set -e
passwd -d root
mkdir -p /etc/systemd/network
cat > /etc/systemd/network/80-guest.network << 'NETWORK'
[Match]
Type=ether

[Network]
DHCP=yes
NETWORK
systemctl enable systemd-networkd
systemctl mask sys-fs-fuse-connections.mount
: > /etc/apt/sources.list
: > /etc/default/locale
test -z "$(dpkg --audit)"
END
}

# The disk that is worked on stays where an interrupted run left it.
begin_disk() {
    cp --sparse=always "$out/root.ext4" "$out/.new.ext4"
    write_setup > "$out/.setup"
    debugfs -w -R "write $out/.setup setup.sh" "$out/.new.ext4" > "$log" 2>&1
    mv "$out/.new.ext4" "$out/.work.ext4"
    rm "$out/.setup"
}

run_guest() {
    # shellcheck disable=SC2086 # one word per option
    "$lh" run ${DISTRO_OPTIONS-} -smp 2 -m 2G -nic none -no-reboot -kernel "$out/vmlinuz" \
        -initrd "$out/initrd.img" -drive "file=$out/.work.ext4,format=raw,if=virtio" -append \
        'console=ttyS0,115200 quiet panic=-1 guest.net=off guest.root=/dev/vda guest.run="sh /setup.sh"' \
        < /dev/null > "$out/setup.log" 2>&1
}

set_defaults
lh=${1:?usage: distro_fetch.sh LH [DIR]}
out=${2:-${LH_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse}/distro}
recipe=1

[ "$(stamp complete)" != "recipe=$recipe" ] || exit 0
[ -x "$lh" ] || die "there is no $lh to run the system with; build it"
lack=
check_tools debugfs:e2fsprogs
[ -z "$lack" ] || die "needs programs that are not here; install them: apt-get install$lack"
sh "$(dirname "$0")/guest_fetch.sh" --out "$out" --extra "$packages" || exit 1
open_out
[ "$(stamp complete)" != "recipe=$recipe" ] || exit 0
[ -n "$(find "$out/.work.ext4" -newer "$out/root.ext4" 2> /dev/null)" ] || begin_disk
progress "the system configures itself"
run_guest || die "the machine failed; $out/setup.log has what it said"
grep -q 'guest: exit 0' "$out/setup.log" ||
    die "the system could not configure itself; $out/setup.log has what it said"
mv "$out/.work.ext4" "$out/system.ext4"
rm -f "$out/root.ext4" "$out/.root"
echo "recipe=$recipe" > "$out/.complete"
say "Debian with systemd is in $out"
