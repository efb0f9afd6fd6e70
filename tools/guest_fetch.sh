#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches a Debian guest: kernel, initramfs and, when asked, a root file system and firmware. This
# one file is all of `lh guest fetch`, which carries it and passes its options on.
#
# Nothing here names an archive: the machine's own apt configuration does, and apt verifies what
# it brings against Debian's keys. No program of the guest's architecture is run. The maintainer
# scripts of the root file system run on this machine, told by DPKG_ROOT to keep inside it, and
# never as root: an ordinary user's run is fakeroot's, and root drops to nobody for them.
#
# Everything is made under OUT/.partial and moved into place when it is complete, so an interrupted
# run leaves what was there before. OUT/.kernel, .root and .firmware say what is complete.
set -eu
LC_ALL=C
PATH=$PATH:/sbin:/usr/sbin
export LC_ALL PATH
umask 022

# What the stamps hold besides the options: a change of the recipe makes old images stale.
kernel_recipe=4
root_recipe=1

# Modules of the initramfs; those that they depend on come along. The guest loads the drivers of
# the devices that it has at start-up, the others on demand.
modules='virtio_mmio virtio_blk virtio_net virtio_rng virtio_balloon acpi_tad
    ext4 vfat nls_cp437 nls_ascii nls_iso8859_1 nls_utf8 efivarfs loop af_packet tun
    bridge uio_pci_generic crc32c_generic crc32c_cryptoapi libcrc32c'
root_size=4G

usage() {
    cat << 'END'
usage: lh guest fetch [OPTION...]

Fetches a Debian guest through this machine's apt. What is there already is not fetched again.

  --arch ARCH        the guest's architecture: loong64 (the default)
  --suite SUITE      the Debian suite: forky (the default), sid
  --out DIR          where to: vmlinuz, initrd.img, config
                     (default: the user's cache, longhouse/guest/ARCH-SUITE)
  --rootfs           also root.ext4, a small configured Debian
  --extra PKG,PKG    more packages in root.ext4 (implies --rootfs); those that cannot be
                     configured from outside are configured at the first start of the guest
  --modules M,M      more kernel modules in the initramfs
  --firmware         also QEMU_EFI.fd, QEMU_VARS.fd and grubloongarch64.efi
  --refresh          fetch anew although everything is there
  --archive URI      a Debian archive other than the one in apt's configuration
  --quiet            print errors only
  --help             print this

Environment: LH_ARCHIVE is the default of --archive, TMPDIR where root works as nobody (/var/tmp).
END
}

### Talking to the user

die() {
    clear_line
    printf 'guest: %s\n' "$*" >&2
    told=1
    exit 1
}

clear_line() { [ -z "$tty" ] || printf '\r\033[K' >&2; }

# One status line that is rewritten on a terminal, plain lines elsewhere.
progress() {
    if [ -n "$quiet" ]; then
        :
    elif [ -n "$tty" ]; then
        printf '\r\033[Kguest: %s' "$*" >&2
    else
        printf 'guest: %s\n' "$*" >&2
    fi
}

say() {
    clear_line
    [ -n "$quiet" ] || printf 'guest: %s\n' "$*" >&2
}

# Shows "WHAT 40%" from apt's status lines "dlstatus:N:PERCENT:TEXT", on a terminal only.
percent() {
    if [ -z "$tty" ] || [ -n "$quiet" ]; then
        cat > /dev/null
        return
    fi
    awk -F: -v what="$1" '$1 == "dlstatus" && int($3) != last {
        last = int($3); printf "\r\033[Kguest: %s %d%%", what, last > "/dev/stderr"; fflush() }'
}

# The reason that the log ends with, for the end of an error line.
reason() {
    line=$(sed -n 's/^E: *//p' "$log" | head -n 1)
    [ -n "$line" ] || line=$(grep . "$log" | tail -n 1) || :
    printf '%s' "$line" | cut -c 1-300
}

### Options

need_value() { [ $# -ge 2 ] || die "option $1 needs a value; see --help"; }

parse_options() {
    while [ $# -gt 0 ]; do
        case $1 in
            --arch | --suite | --out | --extra | --modules | --archive) need_value "$@" ;;
            --*=*)
                option=$1
                shift
                set -- "${option%%=*}" "${option#*=}" "$@"
                ;;
        esac
        case $1 in
            --arch) arch=$2 && shift ;;
            --suite) suite=$2 && shift ;;
            --out) out=$2 && shift ;;
            --extra) extra="$extra $2" rootfs=1 && shift ;;
            --modules) more_modules="$more_modules $2" && shift ;;
            --archive) archive=$2 && shift ;;
            --rootfs) rootfs=1 ;;
            --firmware) firmware=1 ;;
            --refresh) refresh=1 ;;
            --quiet) quiet=1 ;;
            --help) usage && exit 0 ;;
            *) die "unknown option '$1'; see --help" ;;
        esac
        shift
    done
}

check_options() {
    case $arch in
        loong64) kernel_package=linux-image-loong64 ;;
        *) die "no guest for architecture '$arch'; there is loong64" ;;
    esac
    case $suite in
        '' | *[!a-z0-9-]*) die "'$suite' is no name of a Debian suite; forky is one" ;;
    esac
    extra=$(words "$extra")
    more_modules=$(words "$more_modules" | tr - _)
    case $extra in *[!a-z0-9.+\ -]*) die "--extra takes package names: $extra" ;; esac
    case $more_modules in *[!A-Za-z0-9_\ ]*) die "--modules takes module names: $more_modules" ;; esac
    [ -n "$out" ] || out=${XDG_CACHE_HOME:-${HOME:?}/.cache}/longhouse/guest/$arch-$suite
}

# The comma or space separated words of the argument, sorted, once each, separated by one space.
words() { printf '%s\n' "$1" | tr -s ', ' '\n' | sed '/^$/d' | sort -u | paste -sd ' ' -; }

# Adds to $lack the packages of the programs that are not here. Each argument is PROGRAM:PACKAGE.
check_tools() {
    for pair in "$@"; do
        command -v "${pair%%:*}" > /dev/null || lack="$lack ${pair#*:}"
    done
}

### What is there already

# stamp PART FILE...: the stamp's words when the part is complete, nothing otherwise.
stamp() {
    part=$out/.$1
    shift
    [ -f "$part" ] || return 0
    for file in "$@"; do
        [ -s "$out/$file" ] || return 0
    done
    cat "$part"
}

# has STAMP WORD...: whether the stamp has all the words. Stale recipes do not match.
has() {
    have=" $1 "
    shift
    for word in "$@"; do
        case $have in *" $word "*) ;; *) return 1 ;; esac
    done
}

# What an earlier run was asked for in addition stays in; --refresh begins anew.
decide() {
    old_kernel=$(stamp kernel vmlinuz initrd.img config)
    old_root=$(stamp root root.ext4)
    old_firmware=$(stamp firmware QEMU_EFI.fd QEMU_VARS.fd grubloongarch64.efi)
    do_kernel='' do_root='' do_firmware=''
    # shellcheck disable=SC2086 # one word per package or module
    {
        has "$old_kernel" "recipe=$kernel_recipe" $more_modules || do_kernel=1
        [ -z "$rootfs" ] || has "$old_root" "recipe=$root_recipe" $extra || do_root=1
        [ -z "$firmware" ] || has "$old_firmware" recipe=1 || do_firmware=1
    }
    if [ -n "$refresh" ]; then
        do_kernel=1 do_root=$rootfs do_firmware=$firmware
    else
        more_modules=$(words "$more_modules $(plain "$old_kernel")")
        extra=$(words "$extra $(plain "$old_root")")
    fi
}

# The words of a stamp without its name=value ones.
plain() { printf '%s\n' "$1" | tr ' ' '\n' | grep -v = || :; }

# install_part PART STAMP FILE...: moves files from .partial into place. The stamp goes first and
# comes back last.
install_part() {
    part=$out/.$1
    text=$2
    shift 2
    rm -f "$part"
    for file in "$@"; do
        mv -f "$partial/$file" "$out/$file"
    done
    printf '%s\n' "$text" > "$part"
}

### apt

# The first archive in apt's configuration that is Debian's own and whole. Before the first
# `apt-get update` apt does not know origins, so there the machine's own release name decides.
find_archive() {
    [ -z "$archive" ] || return 0
    # shellcheck disable=SC1091 # this machine's
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
    # shellcheck disable=SC2016 # apt's variables
    archive=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN)/$(LABEL) $(CODENAME) $(RELEASE)' \
        'Identifier: Packages' 2> "$log" | awk -v codename="$codename" '
            $1 ~ /^cdrom:/ { next }
            $2 == "Debian/Debian" && $3 !~ /-/ { print $1; found = 1; exit }
            $NF == codename && !other { other = $1 }
            END { if (!found) print other }')
    [ -n "$archive" ] ||
        die "no Debian archive in apt's configuration; name one with --archive URI"
}

# A private apt for the guest's architecture. It is configured by the machine's files and by this
# one after them: -c is read last, so what they say about proxies holds and what they say about
# caches, hooks and further indexes does not. Testing's lists may be past their Valid-Until where
# the machine uses a snapshot; the signature is checked all the same.
make_apt() {
    apt_dir=$partial/apt
    for keyring in /usr/share/keyrings/debian-archive-keyring.gpg \
        /usr/share/keyrings/debian-archive-keyring.pgp; do
        [ ! -f "$keyring" ] || break
    done
    [ -f "$keyring" ] || die "no keys of Debian; install them: apt-get install debian-archive-keyring"
    source_line="deb [arch=$arch target=Packages pdiffs=no check-valid-until=no signed-by=$keyring]"
    source_line="$source_line ${archive%/} $suite main"
    mkdir -p "$apt_dir/lists/partial" "$apt_dir/archives/partial" "$apt_dir/none"
    : > "$apt_dir/status"
    printf '%s\n' "$source_line" > "$apt_dir/sources.list"
    cat > "$apt_dir/apt.conf" << END
#clear APT::Architectures;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "";
APT::Default-Release "";
Acquire::Check-Valid-Until "false";
Acquire::GzipIndexes "false";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::Etc::sourcelist "$apt_dir/sources.list";
Dir::Etc::sourceparts "$apt_dir/none";
Dir::Etc::preferences "$apt_dir/none/preferences";
Dir::Etc::preferencesparts "$apt_dir/none";
Dir::State "$apt_dir";
Dir::State::lists "$apt_dir/lists";
Dir::State::status "$apt_dir/status";
Dir::Cache "$apt_dir";
Dir::Cache::archives "$apt_dir/archives";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
END
    progress "reading the lists of $suite for $arch"
    apt_get "reading the lists of $suite" update --error-on=any ||
        die "cannot read the lists of $suite from apt's archive; check the network and run again: $(reason)"
}

# apt_get WHAT ARGUMENT...: apt-get with progress; what it prints goes to the log.
apt_get() {
    what=$1
    shift
    {
        apt-get -c "$apt_dir/apt.conf" -q -y -o APT::Status-Fd=9 "$@" 9>&1 > "$log" 2>&1 < /dev/null &&
            : > "$partial/ok"
    } | percent "$what"
    [ -e "$partial/ok" ] && rm "$partial/ok"
}

# unpack DIR PACKAGE...: downloads these packages and extracts them.
unpack() {
    into=$1
    shift
    rm -rf "$partial/debs"
    mkdir -p "$partial/debs"
    (cd "$partial/debs" && apt_get "$what_part: fetching" download "$@") ||
        die "cannot fetch $*; check the network and run again: $(reason)"
    extract "$into" "$partial/debs"
}

# The same with all that the packages depend on.
unpack_with_dependencies() {
    into=$1
    shift
    apt_get "$what_part: fetching" install --download-only --no-install-recommends "$@" ||
        die "cannot fetch $*; check the network and run again: $(reason)"
    extract "$into" "$apt_dir/archives"
}

extract() { # INTO FROM
    progress "$what_part: unpacking"
    mkdir -p "$1"
    for deb in "$2"/*.deb; do
        dpkg-deb -x "$deb" "$1" 2> "$log" || die "cannot unpack ${deb##*/}: $(reason)"
    done
    rm -rf "$2"
}

### Kernel and initramfs

# The meta package leads to an image, which holds everything or leads to binary, modules and base.
kernel_packages() {
    apt-cache -c "$apt_dir/apt.conf" depends --recurse --important "$kernel_package" 2> "$log" |
        grep -E '^linux-(image|binary|modules|base)-[0-9]' | sort -u
}

make_kernel() {
    what_part="kernel of $suite"
    progress "$what_part"
    packages=$(kernel_packages) || die "no $kernel_package in $suite"
    # shellcheck disable=SC2086 # one word per package
    unpack "$partial/kernel" $packages busybox-static
    tree=$(find "$partial/kernel" -type d -path '*/lib/modules/*' -prune | head -n 1)
    [ -n "$tree" ] || die "no modules in $packages"
    release=${tree##*/}
    pick vmlinuz "$(find "$partial/kernel" -type f -name 'vmlinu[xz]*' | head -n 1)"
    pick config "$(find "$tree" "$partial/kernel/boot" -type f -name 'config*' 2> /dev/null | head -n 1)"
    progress "initramfs"
    make_initramfs
    rm -rf "$partial/kernel" "$partial/ird"
    install_part kernel "recipe=$kernel_recipe release=$release${more_modules:+ $more_modules}" \
        vmlinuz config initrd.img
}

# pick NAME FILE: a file of a package becomes one of ours.
pick() {
    [ -n "$2" ] || die "no $1 in the packages of $suite; this script expects another layout"
    cp "$2" "$partial/$1"
}

# The files of the modules asked for, each after those it depends on. kmod's modinfo reads them:
# depmod would read all three thousand modules to say the same.
resolve_modules() {
    find "$tree" -name '*.ko*' -type f | awk -v wanted="$*" '
        function name_of(path) {
            sub(/.*\//, "", path)
            sub(/\.ko.*/, "", path)
            gsub(/-/, "_", path)
            return path
        }
        function needs(name,    command, line, all) {
            command = "modinfo \"" path[name] "\""
            while ((command | getline line) > 0)
                if (sub(/^(depends|softdep: *pre): */, "", line)) all = all " " line
            close(command)
            return all
        }
        function visit(name,    n, list, i) {
            gsub(/-/, "_", name)
            if (!(name in path) || seen[name]++) return
            n = split(needs(name), list, /[, ]+/)
            for (i = 1; i <= n; i++) visit(list[i])
            print path[name]
        }
        { path[name_of($0)] = $0 }
        END { n = split(wanted, list, " "); for (i = 1; i <= n; i++) visit(list[i]) }'
}

decompress() {
    case $1 in
        *.xz) xz -dc "$1" ;;
        *.zst) zstd -dcq "$1" ;;
        *.gz) gzip -dc "$1" ;;
        *) cat "$1" ;;
    esac
}

make_initramfs() {
    ird=$partial/ird
    lib=$ird/lib/modules/$release
    mkdir -p "$ird/bin" "$ird/proc" "$ird/sys" "$ird/dev" "$ird/tmp" "$ird/run" "$ird/etc" \
        "$ird/root" "$ird/disk" "$lib"
    # shellcheck disable=SC2086 # one word per module
    resolve_modules $modules $more_modules > "$partial/modules" 2> "$log"
    while read -r file; do
        name=${file##*/}
        decompress "$file" > "$lib/${name%%.ko*}.ko"
    done < "$partial/modules"
    cp "$tree/modules.builtin" "$lib"
    depmod -b "$ird" "$release" 2> "$log" || die "cannot list the kernel's modules: $(reason)"
    rm -f "$lib"/modules.*.bin "$lib/modules.symbols" "$lib/modules.devname"
    # The file of that name in share/lintian is not it.
    busybox=$(find "$partial/kernel" -path '*/bin/busybox' -type f | head -n 1)
    [ -n "$busybox" ] || die "no busybox in busybox-static of $suite"
    install -m 755 "$busybox" "$ird/bin/busybox"
    for name in sh init modprobe setsid cttyhack; do
        ln -s busybox "$ird/bin/$name"
    done
    ln -s bin "$ird/sbin"
    write_init > "$ird/init"
    write_dhcp > "$ird/etc/dhcp"
    write_stop > "$ird/etc/stop"
    printf '%s\n' 'dev /dev devtmpfs' 'proc /proc proc' 'sys /sys sysfs' > "$ird/etc/fstab"
    echo 'root:x:0:0:root:/root:/bin/sh' > "$ird/etc/passwd"
    echo 'root:x:0:' > "$ird/etc/group"
    echo '127.0.0.1 localhost guest' > "$ird/etc/hosts"
    chmod 755 "$ird/init" "$ird/etc/dhcp" "$ird/etc/stop"
    write_cpio > "$partial/initrd.img"
}

# Not compressed: the guest would spend more time on it than the host saves. The console must be a
# node of the archive, or the messages of init are lost; its entry is written by hand because
# only root could make the node.
write_cpio() {
    cpio_entry dev 41ed 2 0 0
    cpio_entry dev/console 2180 1 5 1
    find "$ird" -exec touch -h -d @0 {} +
    (cd "$ird" && find . -mindepth 1 ! -path ./dev | sort |
        cpio --quiet --reproducible -o -H newc -R 0:0)
}

cpio_entry() { # NAME MODE LINKS MAJOR MINOR, the numbers but LINKS in hexadecimal
    size=$((${#1} + 1))
    printf '070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\0' \
        0 $((0x$2)) 0 0 "$3" 0 0 0 0 $((0x$4)) $((0x$5)) "$size" 0 "$1"
    pad=$(((4 - (110 + size) % 4) % 4))
    while [ "$pad" -gt 0 ]; do
        printf '\0'
        pad=$((pad - 1))
    done
}

### Root file system

# Whoever runs the maintainer scripts must not be able to harm this machine: root works as nobody,
# in a place that nobody can reach, whereas .partial may lie below a home directory.
make_yard() {
    if [ "$(id -u)" -eq 0 ]; then
        yard=$(mktemp -d "${TMPDIR:-/var/tmp}/longhouse.XXXXXX") || die "cannot write to ${TMPDIR:-/var/tmp}"
        unprivileged='setpriv --reuid=65534 --regid=65534 --clear-groups --'
        $unprivileged true 2> "$log" ||
            die "root cannot become nobody here, and must not make a root file system; run as another user"
    else
        yard=$partial/yard
        mkdir "$yard"
        unprivileged=
    fi
    mkdir "$yard/lists"
    cp "$apt_dir"/lists/*_* "$yard/lists"
    write_hook > "$yard/hook"
    [ -z "$unprivileged" ] || chown -R 65534:65534 "$yard"
}

make_root() {
    what_part="root file system"
    progress "$what_part"
    make_yard
    # fakeroot keeps owners and set-uid bits from dpkg to mke2fs. mmdebstrap finds apt's lists made
    # already. Lazy initialization would be work for the guest.
    # shellcheck disable=SC2016,SC2086 # expanded by the inner shell; one word per argument
    (cd "$yard" && $unprivileged env HOME="$yard" TMPDIR="$yard" YARD="$yard" EXTRA="$extra" \
        SOURCE="deb [signed-by=$keyring] ${archive%/} $suite main" \
        fakeroot sh -eu -c '
            line=$1 suite=$2 arch=$3 size=$4
            mmdebstrap --mode=chrootless --variant=apt --arch="$arch" --skip=check/qemu \
                --include=busybox-static,debian-archive-keyring \
                --aptopt="Acquire::Check-Valid-Until \"false\"" --dpkgopt=force-unsafe-io \
                --setup-hook="sh \"\$YARD/hook\" lists \"\$1\"" \
                --customize-hook="sh \"\$YARD/hook\" extra \"\$1\"" \
                --customize-hook="sh \"\$YARD/hook\" finish \"\$1\"" \
                "$suite" "$YARD/root" "$line"
            echo "I: making the file system..."
            mke2fs -q -t ext4 -L root -E lazy_itable_init=0,lazy_journal_init=0 \
                -d "$YARD/root" "$YARD/root.ext4" "$size"
            echo complete' \
        sh "$source_line" "$suite" "$arch" "$root_size" < /dev/null 2>&1) | root_progress
    [ "$(tail -n 1 "$log")" = complete ] || die "cannot make the root file system: $(reason)"
    mv "$yard/root.ext4" "$partial/root.ext4"
    [ -z "$unprivileged" ] || chown 0:0 "$partial/root.ext4"
    rm -rf "$yard"
    keep_changed_root
    install_part root "recipe=$root_recipe${extra:+ $extra}" root.ext4
}

# mmdebstrap's and the hook's "I: doing something..." lines are the progress.
root_progress() {
    : > "$log"
    while IFS= read -r line; do
        printf '%s\n' "$line" >> "$log"
        case $line in
            'I: '*...) line=${line#I: } && progress "$what_part: ${line%...}" ;;
        esac
    done
}

# A root file system that a guest has written to belongs to the user.
keep_changed_root() {
    [ -f "$out/.root" ] && [ -n "$(find "$out/root.ext4" -newer "$out/.root" 2> /dev/null)" ] || return 0
    mv -f "$out/root.ext4" "$out/root.ext4.old"
    say "the root file system that the guest has changed is now $out/root.ext4.old"
}

# mmdebstrap calls it at three times with the directory of the root file system. In the end it is
# a script of its own because it must run below fakeroot.
write_hook() {
    cat << 'END'
set -eu
root=$2

# What mmdebstrap looks at to tell that apt's lists are there.
lists() {
    mkdir -p "$root/var/lib/apt/lists/partial" "$root/var/lib/apt/lists/auxfiles" \
        "$root/var/cache/apt/archives/partial"
    cp "$YARD"/lists/* "$root/var/lib/apt/lists"
    : > "$root/var/lib/apt/lists/lock"
    : > "$root/var/cache/apt/pkgcache.bin"
    : > "$root/var/cache/apt/srcpkgcache.bin"
}

has_script() { dpkg-deb --ctrl-tarfile "$1" | tar -t | grep -q "^\./$2\$"; }

dpkg_outside() {
    dpkg --root="$root" --log="$root/var/log/dpkg.log" --force-not-root \
        --force-unsafe-io --force-depends --no-triggers "$@"
}

# Only Debian's base system promises that its scripts keep inside DPKG_ROOT. Packages without
# scripts are installed here, the others wait for the first start of the guest.
extra() {
    [ -n "$EXTRA" ] || return 0
    echo "I: fetching $EXTRA..."
    export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
    apt-get -q -y --no-install-recommends --download-only install $EXTRA
    echo "I: unpacking $EXTRA..."
    later=$root/var/lib/longhouse/later
    mkdir -p "$later"
    unpack='' configure=''
    for deb in "$root"/var/cache/apt/archives/*.deb; do
        if has_script "$deb" preinst; then
            mv "$deb" "$later"
        else
            unpack="$unpack $deb"
            has_script "$deb" postinst || configure="$configure $(dpkg-deb -W --showformat '${Package}' "$deb")"
        fi
    done
    [ -z "$unpack" ] || dpkg_outside --unpack $unpack
    [ -z "$configure" ] || dpkg_outside --configure $configure
    dpkg_outside --force-script-chrootless --triggers-only libc-bin || :
    rm -f "$root"/var/cache/apt/archives/*.deb
    rmdir --ignore-fail-on-non-empty -p "$later"
    first_start
}

first_start() {
    left=$(dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${db:Status-Status}\n' | grep -vx installed || :)
    [ -n "$left" ] || [ -d "$root/var/lib/longhouse" ] || return 0
    cat > "$root/usr/local/sbin/first-start" << 'SCRIPT'
#!/bin/sh
# Installs and configures the packages that could not be configured from outside, once.
set -e
export DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
echo 'guest: configuring packages at the first start'
[ ! -d /var/lib/longhouse/later ] || dpkg --force-depends --unpack /var/lib/longhouse/later/*.deb
dpkg --configure -a
rm -rf /var/lib/longhouse /usr/local/sbin/first-start
SCRIPT
    chmod 755 "$root/usr/local/sbin/first-start"
}

# This machine's name and name servers have no place in the guest. Without an init of its own the
# root file system asks the initramfs's, which busybox knows how to.
finish() {
    echo guest > "$root/etc/hostname"
    echo '127.0.0.1 localhost guest' > "$root/etc/hosts"
    printf '%s\n' "$SOURCE" > "$root/etc/apt/sources.list"
    : > "$root/etc/resolv.conf"
    chmod 644 "$root/etc/hostname" "$root/etc/resolv.conf"
    for name in poweroff reboot halt; do
        ln -sf /usr/bin/busybox "$root/usr/local/sbin/$name"
    done
    rm -f "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
}

"$1"
END
}

### Firmware

make_firmware() {
    what_part=firmware
    progress "$what_part"
    unpack "$partial/firmware" qemu-efi-loongarch64 grub-efi-loong64-unsigned
    for name in QEMU_EFI.fd QEMU_VARS.fd grubloongarch64.efi; do
        pick "$name" "$(find "$partial/firmware" -type f -name "$name" | head -n 1)"
    done
    rm -rf "$partial/firmware"
    install_part firmware recipe=1 QEMU_EFI.fd QEMU_VARS.fd grubloongarch64.efi
}

### The files of the initramfs

write_dhcp() {
    cat << 'END'
#!/bin/sh
# What udhcpc calls with an address for $interface.
case $1 in
    deconfig) ip addr flush dev "$interface" ;;
    bound | renew)
        ip addr replace "$ip/${mask:-24}" dev "$interface"
        for router in $router; do
            ip route replace default via "$router" dev "$interface"
            break
        done
        for server in $dns; do echo "nameserver $server"; done > /etc/resolv.conf
        [ ! -d /disk/etc ] || cp /etc/resolv.conf /disk/etc/resolv.conf
        : > /run/network
        ;;
esac
END
}

write_init() {
    cat << 'END'
#!/bin/busybox sh
# The first program of the guest. What it does besides starting a shell is asked for on the kernel's
# command line:
#   guest.run="COMMAND"    run it, print "guest: exit N", power off
#   guest.off              power off when started
#   guest.root=/dev/vda    go on in the file system of that disk: with its own init if it has one
#   guest.net=wait|off     wait for the network before going on, or leave it alone
#   guest.term=TYPE        the type of terminal at the other end of the console
#   guest.size=ROWSxCOLS   its size
#
# A processor that is emulated makes every program that is started felt, so that the way to the
# prompt starts few: the shell runs busybox's programs itself, and the rest comes later.
export PATH=/sbin:/bin:/usr/sbin:/usr/bin HOME=/root TERM=vt220 PS1='guest:\w# '
/bin/busybox mount -a

# As the kernel reads it: quotes may stand around the value or around the whole parameter.
run= off= root= net= size= parameters=
read -r line < /proc/cmdline
case $line in
    *guest.*)
        parameters=$(awk -F'"' '{
            for (i = 1; i <= NF; i++) { if (i % 2) gsub(/[ \t]+/, "\n", $i); printf "%s", $i }
        }' /proc/cmdline)
        ;;
esac
IFS='
'
set -f
for parameter in $parameters; do
    value=${parameter#*=}
    case $parameter in
        guest.run=*) run=$value ;;
        guest.off) off=1 ;;
        guest.root=*) root=$value ;;
        guest.net=*) net=$value ;;
        guest.term=*) TERM=$value ;;
        guest.size=*) size=$value ;;
    esac
done
set +f
unset IFS

finish() {
    /etc/stop
    poweroff -f
    sleep 3600
}

drivers() {
    for device in /sys/bus/platform/devices/*virtio_mmio* /sys/bus/platform/devices/LNRO0005*; do
        [ ! -e "$device" ] || { modprobe virtio_mmio; break; }
    done
    for device in /sys/bus/virtio/devices/*/modalias; do
        [ -e "$device" ] && read -r alias < "$device" && modprobe -q "$alias"
    done
}

later() {
    [ ! -e /sys/bus/acpi/devices/ACPI000E:00 ] || modprobe acpi_tad # the clock
    mkdir -p /dev/pts /dev/shm
    mount -t devpts devpts /dev/pts
    /bin/busybox --install -s /bin
}

network() {
    ip link set lo up
    [ "$net" != off ] || return
    for interface in /sys/class/net/*; do
        interface=${interface##*/}
        [ "$interface" = lo ] || break
    done
    [ "$interface" != lo ] || return
    ip link set "$interface" up
    udhcpc -i "$interface" -s /etc/dhcp -t 10 -T 1 -n -q > /dev/null 2>&1 < /dev/null
}

disk() {
    n=0
    while [ ! -b "$root" ] && [ $n -lt 200 ]; do usleep 50000; n=$((n + 1)); done
    [ -b "$root" ] || return
    mount -t ext4 -o noatime "$root" /disk 2> /dev/null || mount -o noatime "$root" /disk || return
    [ ! -s /etc/resolv.conf ] || cp /etc/resolv.conf /disk/etc/resolv.conf
    mount -t devtmpfs dev /disk/dev
    mount -t devpts devpts /disk/dev/pts
    mount -t proc proc /disk/proc
    mount -t sysfs sys /disk/sys
    mount -t tmpfs run /disk/run
    mount -t tmpfs tmp /disk/tmp
    [ ! -x /disk/usr/local/sbin/first-start ] || chroot /disk /usr/local/sbin/first-start
    [ -n "$run$off" ] || [ ! -x /disk/sbin/init ] || exec switch_root /disk /sbin/init
}

drivers
echo guest > /proc/sys/kernel/hostname
read -r up rest < /proc/uptime
read -r machine < /proc/sys/kernel/arch
read -r release < /proc/sys/kernel/osrelease
echo "guest: $machine $release up ${up}s"
later &
prepared=$!
if [ "$net" = wait ]; then network; else network & fi
[ -z "$run$off$root" ] || wait $prepared
inside=
if [ -n "$root" ]; then
    if disk; then
        inside='chroot /disk'
    else
        echo "guest: cannot mount $root"
        [ -z "$run" ] || { echo 'guest: exit 126'; finish; }
    fi
fi
if [ -n "$run" ]; then
    # The end of a session's first process hangs up its terminal, which drops what is still to be
    # printed: that process waits for it.
    setsid cttyhack sh -c '"$@"; status=$?; stty onlcr < /dev/console; exit $status' sh \
        $inside /bin/sh -c "$run"
    echo "guest: exit $?"
    finish
fi
[ -z "$off" ] || finish

# busybox's init takes over: it starts the shell again when the user leaves it, and obeys poweroff.
echo 4 > /proc/sys/kernel/printk
[ -z "$size" ] || stty rows "${size%x*}" cols "${size#*x}" < /dev/console
shell='sh -l'
[ -z "$inside" ] || shell='/bin/sh -l'
[ ! -x /disk/bin/bash ] || shell='/bin/bash -l'
printf '%s\n' "::respawn:/bin/cttyhack $inside $shell" '::shutdown:/etc/stop' > /etc/inittab
cd /root
exec init
END
}

write_stop() {
    cat << 'END'
#!/bin/sh
# Ends everything and leaves the disk clean. What was written last is still on its way through the
# UART when poweroff would cut it off; stty returns when all of it has left.
kill -TERM -1
kill -KILL -1
if [ -d /disk/bin ]; then
    for place in dev/pts dev proc sys run tmp; do umount "/disk/$place"; done 2> /dev/null
    umount /disk || mount -o remount,ro /disk
fi
sync
stty opost < /dev/console
END
}

### Doing it

prepare() {
    lack=
    check_tools apt-get:apt dpkg-deb:dpkg flock:util-linux
    [ -z "$do_kernel" ] || check_tools depmod:kmod modinfo:kmod cpio:cpio xz:xz-utils zstd:zstd
    [ -z "$do_root" ] || check_tools mmdebstrap:mmdebstrap fakeroot:fakeroot mke2fs:e2fsprogs \
        setpriv:util-linux
    [ -z "$lack" ] ||
        die "needs programs that are not here; install them: apt-get install $(words "$lack")"
    open_out
}

# Takes the lock of $out for this run.
open_out() {
    mkdir -p "$out" 2> /dev/null || :
    [ -w "$out" ] || die "cannot write to $out; choose another --out"
    out=$(cd "$out" && pwd)
    partial=$out/.partial
    log=$out/.log
    exec 8> "$out/.lock"
    flock -n 8 || {
        say "another run is at work in $out; waiting for it"
        flock 8
    }
}

clean_up() {
    status=$?
    [ -z "$yard" ] || rm -rf "$yard"
    rm -rf "$partial"
    [ "$status" -eq 0 ] || [ -n "$told" ] || die "stopped; what was in $out before is still there"
}

begin() {
    trap clean_up EXIT
    trap 'exit 1' HUP INT TERM
    rm -rf "$partial"
    mkdir "$partial"
    find_archive
    make_apt
}

fetch() {
    begin
    [ -z "$do_kernel" ] || make_kernel
    [ -z "$do_firmware" ] || make_firmware
    [ -z "$do_root" ] || make_root
}

set_defaults() {
    arch=loong64 suite=forky out='' extra='' more_modules='' archive=${LH_ARCHIVE-}
    rootfs='' firmware='' refresh='' quiet='' yard='' tty='' told='' took=''
    [ ! -t 2 ] || tty=1
}

main() {
    set_defaults
    parse_options "$@"
    check_options
    decide
    if [ -n "$do_kernel$do_root$do_firmware" ]; then
        prepare
        decide # again: another run may have just ended
    fi
    if [ -n "$do_kernel$do_root$do_firmware" ]; then
        start=$(date +%s)
        fetch
        took=" ($(($(date +%s) - start)) s)"
    fi
    release=$(sed -n 's/.*release=\([^ ]*\).*/\1/p' "$out/.kernel")
    say "$arch $suite, kernel $release, is in $out$took"
}

# The other scripts that fetch use these functions, too.
[ -z "${fetch_functions_only-}" ] || return 0
main "$@"
