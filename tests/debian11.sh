#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds and unit-tests in a Debian 11 root: the oldest system that is promised, standing in for EL 8. The root is
# made once and kept in build-debian11, by what is in it. toml++ is not in Debian 11: the headers of the newer
# Debian's package, which is no more than headers, are laid into it.
#   debian11.sh [FILE]      meson's log of the tests goes to FILE
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
packages=meson,ninja-build,gcc,g++,libc6-dev,pkg-config,libyaml-dev,nettle-dev,libjansson-dev,libxml2-dev
packages+=,libsystemd-dev,libseccomp-dev,libmount-dev,libnghttp2-dev,libprotobuf-c-dev,protobuf-c-compiler,libkmod-dev,libcmocka-dev,python3,python3-jsonschema
packages+=,libselinux1-dev
cache=$PWD/build-debian11
root=$cache/root
recipe=$(printf %s "$packages" | sha256sum | cut -c1-16)

skip() {
    echo "skipped: $*"
    exit 77
}
[ "$(id -u)" -eq 0 ] || skip "it takes root to enter another root"
command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed"
if [ "$(cat "$cache/recipe" 2>/dev/null)" != "$recipe" ]; then
    rm -rf "$cache"
    mkdir -p "$cache"
    mmdebstrap --quiet --variant=apt --include="$packages" bullseye "$root" >"$cache/log" 2>&1 ||
        skip "no Debian 11 root could be made: $(tail -n 1 "$cache/log")"
    echo "$recipe" >"$cache/recipe"
fi
headers=(/usr/include/toml++)
[ -d "${headers[0]}" ] && cp -r "${headers[@]}" "$root/usr/include/"

# What an installer would have written.
[ -f "$root/etc/hosts" ] || echo '127.0.0.1 localhost' >"$root/etc/hosts"

# What is tracked, and what is about to be; never the builds.
rm -rf "$root/src"
mkdir -p "$root/src"
git ls-files -co --exclude-standard -z | xargs -0 cp --parents -P -t "$root/src" 2>/dev/null

inside() {
    unshare --mount --fork --kill-child sh -c '
        mount --rbind /proc "$0/proc" && mount --rbind /dev "$0/dev" && mount --rbind /sys "$0/sys"
        exec chroot "$0" /bin/sh -c "$1"' "$root" "$1"
}
inside '
    set -e
    cd /src
    meson setup build-d11 -Dprefix=/usr >/dev/null
    ninja -C build-d11 >/src/ninja.log 2>&1 || { grep -E -A12 "FAILED|error:" /src/ninja.log | head -n 60; exit 1; }
    code=0
    meson test -C build-d11 --no-rebuild --print-errorlogs --suite unit --suite plugins --suite fuzz >/src/test.log 2>&1 ||
        code=$?
    tail -n 60 /src/test.log
    exit $code
'
code=$?
# Each test and each skip counts as one; see scripts/test.
[ $# -eq 0 ] || cp "$root/src/build-d11/meson-logs/testlog.json" "$1"
[ $code -eq 0 ] || exit 1
echo "Debian 11: built and tested"
