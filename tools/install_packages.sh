#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install_packages.sh GROUP...: installs what is missing of these groups of tools/packages.txt.
#
# When nothing is missing it does nothing, and needs neither network nor root. On a machine without
# dpkg it says that it cannot tell, and succeeds. LH_NO_INSTALL=1 forbids installing.
#
# Exit status: 0 everything is there; 1 something is missing, and one line on stderr says what to do.
set -eu

list=$(dirname "$0")/packages.txt

die() {
    printf 'packages: %s\n' "$*" >&2
    exit 1
}

# The packages of the groups in the arguments.
wanted() {
    for group in "$@"; do
        awk -v g="$group" '$1 == g { print $2; n++ } END { exit !n }' "$list" ||
            die "no group '$group' in $list"
    done
}

# Those of standard input that dpkg does not have fully installed, on one line.
missing() {
    { dpkg-query -W -f '+ ${Package} ${db:Status-Status}\n'; cat; } |
        awk '$1 == "+" { if ($3 == "installed") have[$2] = 1; next }
             !($1 in have) && !seen[$1]++ { printf "%s%s", n++ ? " " : "", $1 }'
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo -p 'packages: password of %p for sudo: ' "$@"
    else
        sudo -n "$@"
    fi
}

# apt's status lines are "dlstatus:N:PERCENT:TEXT" and "pmstatus:PACKAGE:PERCENT:TEXT". On a
# terminal they become one line that is rewritten. Everything else goes to the log.
show_progress() {
    tty=0
    [ ! -t 2 ] || tty=1
    awk -F: -v tty="$tty" -v log_file="$log" '
        $1 != "dlstatus" && $1 != "pmstatus" { print >> log_file; next }
        tty { what = $1 == "dlstatus" ? "downloading" : "installing"
              printf "\r\033[Kpackages: %s %d%%", what, $3 > "/dev/stderr"; fflush() }
        END { if (tty) printf "\r\033[K" > "/dev/stderr" }'
}

# sudo closes every descriptor above 2, so the status lines share standard output with the rest.
apt() {
    {
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o APT::Status-Fd=1 \
            -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" 2>&1 && echo ok > "$log.ok"
    } | show_progress
    [ -e "$log.ok" ] && rm "$log.ok"
}

# The archive's lists are fetched only when those on this machine do not lead to the packages.
install() {
    # shellcheck disable=SC2086 # one word per package
    apt install --no-install-recommends $1 || {
        apt update
        apt install --no-install-recommends $1
    }
}

[ $# -gt 0 ] || die "usage: install_packages.sh GROUP..."
names=$(wanted "$@")
command -v dpkg-query > /dev/null || {
    printf 'packages: not a Debian machine; %s says what is needed\n' "$list" >&2
    exit 0
}
need=$(printf '%s\n' "$names" | missing)
[ -n "$need" ] || exit 0
[ -z "${LH_NO_INSTALL-}" ] || die "missing: $need"
[ "$(id -u)" -eq 0 ] || command -v sudo > /dev/null ||
    die "missing: $need; install sudo, or run as root: apt-get install $need"
if [ "$(id -u)" -ne 0 ] && [ ! -t 0 ] && ! sudo -n true 2> /dev/null; then
    die "missing, and sudo wants a password; run: sudo apt-get install $need"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
log=$work/log
: > "$log"
printf 'packages: installing %s\n' "$need" >&2
install "$need" || {
    grep -E '^(E|W|Err)|[Ee]rror' "$log" | tail -n 5 >&2 || :
    die "could not install: $need (the lines above are apt's)"
}
