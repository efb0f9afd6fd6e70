#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run_cells.sh BUILD GUEST [OPTION]...: starts a machine with the hypervisor in it, Debian as root cell,
# and in /cells what `lh cell` makes more of. OPTIONs go to lh run. BUILD has lh and the hypervisor,
# GUEST the kernel and the initramfs. With FIRMWARE=1 EDK2 starts the hypervisor, from a disk.
set -eu
build=$1 guest=$2
shift 2
here=$(dirname "$0")
root=$build/cells
image=$build/hv/longhouse-loongarch64.elf

die() {
    printf 'run-cells: %s\n' "$*" >&2
    exit 1
}

[ -f "$image" ] || die "there is no $image: clang-19 and lld-19 build it"
BUILD_LOONG64=$build/loong64 sh "$here/build_loong64.sh"

rm -rf "$root"
mkdir -p "$root/add/cells" "$root/add/bin"
cp "$build/loong64/lh" "$root/add/bin/lh"
command -v llvm-strip-19 > /dev/null && llvm-strip-19 "$root/add/bin/lh"
cp "$here"/../test/cells/*.dts "$root/add/cells/"
cp "$guest/vmlinuz" "$guest/initrd.img" "$root/add/cells/"
cp "$guest/initrd.img" "$root/initrd"
truncate -s %4 "$root/initrd"
(cd "$root/add" && find . -mindepth 1 | sort | cpio --quiet -o -H newc -R 0:0) >> "$root/initrd"
rm -r "$root/add"

echo 'Type: lh cell run /cells/debian.dts' >&2
if [ -z "${FIRMWARE-}" ]; then
    "$build/lh" cell bundle -o "$root/bundle" --system "$here/../test/cells/virt.dts" \
        --kernel "$guest/vmlinuz" --initrd "$root/initrd" --append 'console=ttyS0,115200'
    exec "$build/lh" run -m 1G -smp 4 -kernel "$image" -initrd "$root/bundle" -nographic "$@"
fi

# A disk with the hypervisor where firmware looks by itself, and what it goes on to.
disk=$root/disk.img boot=EFI/BOOT
command -v mcopy > /dev/null || die 'mcopy is needed, of the package mtools'
"$build/lh" cell compile "$here/../test/cells/virt.dts" -o "$root/system.cell"
echo 'next=/vmlinuz console=ttyS0,115200 initrd=/initrd' > "$root/longhouse.cfg"
export MTOOLS_SKIP_CHECK=1
mkfs.vfat -C -F 32 -n ESP "$disk" 131072 > /dev/null
mmd -i "$disk" ::/EFI "::/$boot"
mcopy -i "$disk" "${image%.elf}.efi" "::/$boot/BOOTLOONGARCH64.EFI"
mcopy -i "$disk" "$root/system.cell" "$root/longhouse.cfg" "::/$boot"
mcopy -i "$disk" "$guest/vmlinuz" "$root/initrd" ::/
exec "$build/lh" run -m 1G -smp 4 -bios "$guest/QEMU_EFI.fd" \
    -drive "file=$disk,format=raw,if=virtio" -nographic "$@"
