#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds examples/plugin as somebody outside of the tree would, against what is installed and nothing else, and judges
# hosts with it: EXAMPLE STAGE PREFIX LIBDIR BINDIR.
: "${KC_TEST_LACKS:=}"
set -u
umask 022
example=$1 stage=$2 prefix=$3 libdir=$4 bindir=$5
if [ -n "${KC_TEST_LACKS# }" ]; then
    echo "skipped: this build is without$KC_TEST_LACKS"
    exit 77
fi
for tool in make pkg-config nm; do
    command -v "$tool" >/dev/null || {
        echo "skipped: $tool is not here"
        exit 77
    }
done

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
checked=0 failed=0

# expect WHAT GOT WANTED
expect() {
    checked=$((checked + 1))
    if [ "$2" != "$3" ]; then
        failed=$((failed + 1))
        printf 'not ok %s: got "%s", expected "%s"\n' "$1" "$2" "$3"
    fi
}

# The header is reached by the flags of the installed k8scheck.pc alone: the copy is out of the tree.
cp "$example"/hostname.c "$example"/hostname.yaml "$example"/Makefile "$tmp" || exit 1
export PKG_CONFIG_PATH=$stage$prefix/$libdir/pkgconfig PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
unset MAKEFLAGS CFLAGS LDFLAGS
make -C "$tmp" PKG_CONFIG="pkg-config --define-variable=prefix=$stage$prefix" \
    CFLAGS='-O2 -Wall -Wextra -Werror' >"$tmp/make.log" 2>&1
code=$?
expect "it builds without a warning" $code 0
[ $code -eq 0 ] || cat "$tmp/make.log"
expect "it exports one symbol" "$(nm -D --defined-only "$tmp/hostname.so" | awk '{ print $3 }')" kc_plugin
make -s -C "$tmp" PKG_CONFIG=pkg-config DESTDIR="$tmp/installed" install >"$tmp/install.log" 2>&1
expect "it is installed beside the other plugins" \
    "$(cd "$tmp/installed" && find . -type f | sort | tr '\n' ' ')" \
    ".$prefix/$libdir/k8scheck/plugins/hostname.so .$prefix/$libdir/k8scheck/plugins/hostname.yaml "

# verdicts EXPECTED-EXIT KERNEL'S-NAME BOOT'S-FILE (- for none) [OPTIONS…]: "now boot", as a report has them.
verdicts() {
    local root=$tmp/root
    rm -rf "$root"
    mkdir -p "$root/etc" "$root/proc/sys/kernel"
    [ "$2" = - ] || printf '%s\n' "$2" >"$root/proc/sys/kernel/hostname"
    [ "$3" = - ] || printf '%b' "$3" >"$root/etc/hostname"
    "$stage$bindir/k8scheck" --plugin-dir "$tmp" --profile "$example/../node-name.yaml" --root "$root" "${@:4}" \
        --report "text=$tmp/report.txt" --verbose --color never >"$tmp/out" 2>&1
    code=$?
    [ $code -eq "$1" ] || {
        cat "$tmp/out"
        echo "exit $code, expected $1"
        return
    }
    sed -n 's,^ *\(pass\|fail\|error\|skip\) *node-name .*,\1,p' "$tmp/report.txt"
}

# says TEXT: whether the last report has it.
says() {
    if grep -qF "$1" "$tmp/report.txt"; then echo yes; else cat "$tmp/report.txt"; fi
}

expect "a good name at both horizons" "$(verdicts 0 node1.example.org 'node1.example.org\n' --live)" pass
expect "both are judged" "$(says 'right now and after the next boot')" yes
expect "a bad name now" "$(verdicts 1 Node1 'node1\n' --live)" fail
expect "now alone is wrong" "$(says 'wrong now, right after the next boot: It has a capital letter.')" yes
expect "a bad name at boot" "$(verdicts 1 node1 '# by hand\n\nnode_1\n' --live)" fail
expect "boot alone is wrong" "$(says 'right now, but lost at the next boot')" yes
expect "the file is the source" "$(says '/etc/hostname')" yes
expect "a default of the profile is refused" "$(verdicts 1 - 'template\n')" fail
expect "two dots" "$(verdicts 1 - 'node1..org\n')" fail
expect "a dash at the end" "$(verdicts 1 - 'node1-.org')" fail
expect "no name at boot is skipped" "$(verdicts 0 node1 - --live)" pass
expect "with its reason" "$(says 'sets no name')" yes
expect "nothing that applies is no pass" "$(verdicts 3 - '# nobody\n')" skip
expect "no name now is an error" "$(verdicts 3 - 'node1\n' --live)" error
expect "a parameter from the command line" \
    "$(verdicts 1 - 'node7\n' --set 'node-name.refuse=[node7]')" fail

# repair EXPECTED-EXIT ARGUMENTS…: on the root of the last verdicts().
repair() {
    "$stage$bindir/k8scheck" --plugin-dir "$tmp" --root "$tmp/root" --live "${@:2}" --color never >"$tmp/out" 2>&1
    code=$?
    [ $code -eq "$1" ] && return
    cat "$tmp/out"
    echo "exit $code, expected $1"
}

# A repair that the plugin plans, and the fixer makes and takes back.
expect "bad names at both horizons" "$(verdicts 1 Node1 '# by hand\n\nnode_1\n# end\n' --live)" fail
mkdir -p "$tmp/root/var/lib"
fix=(--profile "$example/../node-name.yaml" --set node-name.name=node9 --fix)
find "$tmp/root" -newer "$tmp/report.txt" -type f >"$tmp/before"
expect "a dry run" "$(repair 1 "${fix[@]}" --dry-run)" ""
expect "shows the new name" "$(grep -c '| +node9' "$tmp/out")" 1
expect "and changes nothing" "$(find "$tmp/root" -newer "$tmp/report.txt" -type f)" "$(cat "$tmp/before")"
expect "a repair" "$(repair 0 "${fix[@]}" --yes)" ""
expect "is marked" "$(grep -c '^  fixed  *node-name ' "$tmp/out")" 1
expect "the file is edited" "$(cat "$tmp/root/etc/hostname")" $'# by hand\n\nnode9\n# end'
expect "the kernel is told" "$(cat "$tmp/root/proc/sys/kernel/hostname")" node9
expect "once more" "$(repair 0 "${fix[@]}" --yes)" ""
expect "has nothing to do" "$("$stage$bindir/k8scheck" rollback --list --root "$tmp/root" --live | wc -l)" 1
expect "it is taken back" "$(repair 0 rollback --yes)" ""
expect "the file is as it was" "$(cat "$tmp/root/etc/hostname")" $'# by hand\n\nnode_1\n# end'
expect "so is the kernel's name" "$(cat "$tmp/root/proc/sys/kernel/hostname")" Node1
expect "without a name a person is told what to type" \
    "$(repair 1 --profile "$example/../node-name.yaml" --fix --yes)$(grep -o "hostnamectl set-hostname" "$tmp/out" | head -n 1)" "hostnamectl set-hostname"

# The other example: a profile that extends an installed one.
lint=$("$stage$bindir/k8scheck" lint "$example/../our-nodes.yaml" 2>&1)
expect "our-nodes.yaml has no faults" "$?: ${lint%%,*}" "0: profile our-nodes: no faults"

echo "example plugin: $checked looked at, $failed wrong"
[ "$failed" -eq 0 ] && [ "$checked" -ge 32 ]
