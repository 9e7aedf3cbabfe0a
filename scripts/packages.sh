# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the other scripts have in common: which packages it takes, on Debian and Ubuntu and on the RHEL family, and
# how they get there. Sourced, not run.

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "packages are missing and this is not root: install them, or run this as root: $*"
    fi
}

# To build and run.
deb_build=(meson ninja-build gcc g++ pkg-config libyaml-dev nettle-dev libjansson-dev libseccomp-dev libxml2-dev libsystemd-dev libmount-dev
    libnghttp2-dev libprotobuf-c-dev protobuf-c-compiler libkmod-dev libselinux1-dev)
rpm_build=(meson ninja-build gcc gcc-c++ pkgconf-pkg-config libyaml-devel nettle-devel jansson-devel libseccomp-devel libxml2-devel
    systemd-devel libmount-devel libnghttp2-devel protobuf-c-devel protobuf-c-compiler kmod-devel libselinux-devel)

# To test, beyond that: units, real daemons, schemas, a Debian root, fuzzers.
deb_test=(libcmocka-dev valgrind libxml2-utils python3 python3-jsonschema python3-yaml python3-dbusmock dbus containerd mmdebstrap systemd-container clang
    firewalld nftables python3-nftables
    clang-format iproute2 kmod procps rpm busybox-static
    qemu-system-x86 qemu-utils openssh-client e2fsprogs fdisk
    debhelper dpkg-dev lintian bash-completion zsh fish)
rpm_test=(libcmocka-devel valgrind libxml2 python3 python3-jsonschema python3-pyyaml python3-dbusmock dbus-daemon systemd-container clang clang-tools-extra
    firewalld nftables python3-nftables
    iproute kmod procps-ng openssh-clients e2fsprogs util-linux rpm-build rpmlint bash-completion zsh fish)

# Not in every release; a test that needs it is skipped without.
optional_test=(ansible-core)

# toml++ is in Debian 12 and later, and in no RHEL; meson's wrap serves there.
deb_toml=libtomlplusplus-dev

have_deb() {
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed$'
}

install_deb() {
    local missing=() package
    for package in "$@"; do
        have_deb "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    as_root apt-get update -qq
    # One by one where the archive lacks some, so that one that is not there does not cost the others.
    as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || {
        for package in "${missing[@]}"; do
            as_root apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
                echo "not to be had here: $package"
        done
    }
}

install_rpm() {
    local missing=() package dnf=dnf
    command -v dnf >/dev/null || dnf=yum
    for package in "$@"; do
        rpm -q --quiet "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing ${missing[*]}"
    # Half of the -devel packages are in the builders' repository, which has another name in every release.
    as_root "$dnf" install -y -q epel-release 'dnf-command(config-manager)' || true
    as_root "$dnf" config-manager --set-enabled crb || as_root "$dnf" config-manager --set-enabled powertools || true
    as_root "$dnf" install -y -q --skip-broken "${missing[@]}" || as_root "$dnf" install -y -q "${missing[@]}"
}

# install_packages build|test
install_packages() {
    if command -v apt-get >/dev/null; then
        if [ "$1" = test ]; then
            install_deb "${deb_build[@]}" "$deb_toml" "${deb_test[@]}"
            (install_deb "${optional_test[@]}") || true
        else
            install_deb "${deb_build[@]}" "$deb_toml"
        fi
    elif command -v dnf >/dev/null || command -v yum >/dev/null; then
        if [ "$1" = test ]; then
            install_rpm "${rpm_build[@]}" "${rpm_test[@]}"
            (install_rpm "${optional_test[@]}") || true
        else
            install_rpm "${rpm_build[@]}"
        fi
    else
        echo "neither apt-get nor dnf is here, so nothing is installed; see scripts/packages.sh for what it takes"
    fi
}

# setup_build FOLDER OPTIONS…: configures once; a folder that is there keeps its options.
setup_build() {
    local folder=$1
    shift
    if [ ! -f "$folder/build.ninja" ]; then
        meson setup "$folder" "$@" >"$folder.log" 2>&1 || {
            tail -n 40 "$folder.log" >&2
            die "meson could not configure $folder"
        }
        rm -f "$folder.log"
    fi
}
