#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Starts a real containerd whose every file lies in a folder of its own, and asks it through the door to
# container runtimes, and by k8scheck itself: ASK (tests/support/ask-runtime.c) and PROGRAM, installed. Exits
# with 77 where there is no containerd, or none that can start.

set -u -o pipefail

ask=$1
program=$2
failures=0

skip() {
	echo "skipped: $1"
	exit 77
}

command -v containerd >/dev/null || skip "containerd is not installed"
[ "$(id -u)" = 0 ] || skip "containerd needs root"

dir=$(mktemp -d "${TMPDIR:-/tmp}/k8scheck-containerd-XXXXXX") || exit 1
pid=

clean_up() {
	if [ -n "$pid" ]; then
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	fi
	# Its snapshotters may have left mounts below its state.
	grep -o " $dir/[^ ]*" /proc/self/mounts | sort -r | while read -r mount; do
		umount "$mount" 2>/dev/null
	done
	rm -rf --one-file-system "$dir"
}
trap clean_up EXIT

mkdir -p "$dir/run" "$dir/cni/bin" "$dir/cni/net.d" "$dir/opt"
cat >"$dir/config.toml" <<END
version = 2
root = "$dir/root"
state = "$dir/state"
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.overlayfs",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing",
]
[grpc]
  address = "$dir/run/containerd.sock"
[ttrpc]
  address = "$dir/run/containerd.sock.ttrpc"
[debug]
  address = "$dir/run/debug.sock"
[plugins."io.containerd.grpc.v1.cri"]
  disable_tcp_service = true
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$dir/cni/bin"
    conf_dir = "$dir/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
END

containerd --config "$dir/config.toml" >"$dir/log" 2>&1 &
pid=$!

# Until it answers Version: its socket is there before its CRI is.
answered=
for _ in $(seq 100); do
	if [ -S "$dir/run/containerd.sock" ] &&
		"$ask" "$dir" unix:///run/containerd.sock version >"$dir/version" 2>&1; then
		answered=yes
		break
	fi
	kill -0 "$pid" 2>/dev/null || break
	sleep 0.1
done
if [ -z "$answered" ]; then
	[ -f "$dir/version" ] && cat "$dir/version"
	grep -i 'level=\(error\|fatal\)' "$dir/log" | tail -3
	kill -0 "$pid" 2>/dev/null && [ -S "$dir/run/containerd.sock" ] && {
		echo "FAIL: containerd runs and does not answer"
		exit 1
	}
	skip "containerd cannot start here: $(tail -1 "$dir/log")"
fi

# expect NAME PATTERN: the last answer has a line that matches the extended regular expression.
expect() {
	if ! grep -Eq -- "$2" "$dir/answer"; then
		echo "FAIL: $1: nothing matches: $2"
		sed 's/^/    /' "$dir/answer"
		failures=$((failures + 1))
	fi
}

# query EXIT-CODE QUESTION...: asks, and holds the exit code against the expected one.
query() {
	local code=$1 got

	shift
	"$ask" "$dir" unix:///run/containerd.sock "$@" >"$dir/answer" 2>&1
	got=$?
	if [ "$got" != "$code" ]; then
		echo "FAIL: $*: exit code $got, not $code"
		sed 's/^/    /' "$dir/answer"
		failures=$((failures + 1))
	fi
}

version=$(containerd --version | awk '{ print $3 }')

query 0 version
expect version '^api=v1$'
expect version '^runtime_name=containerd$'
expect version "^runtime_version=v?${version#v}\$"

# The same by the whole program: worker, k8scheck, broker, door, containerd, and back.
cat >"$dir/profile.yaml" <<END
rules:
  - id: containerd
    check: cri.answers
    with: {endpoint: "unix:///run/containerd.sock", runtime: containerd, version: "${version#v}", timeout: 5s}
  - id: cri-o
    check: cri.answers
    with: {endpoint: "unix:///run/containerd.sock", runtime: cri-o, timeout: 5s}
END
# What there is in it, and what its folders hold, but for the logs of its being asked.
state() {
	local kind

	command -v ctr >/dev/null && for kind in "namespaces list" "containers list" "images list" "tasks list" "snapshots list" \
		"content list" "leases list"; do
		echo "== $kind"
		# shellcheck disable=SC2086 # two words
		ctr --address "$dir/run/containerd.sock" --namespace k8s.io $kind
	done
	find "$dir/root" "$dir/state" "$dir/cni" "$dir/opt" -printf '%p %y %m %U %G %s\n' | sort
}
state >"$dir/before" 2>&1
"$program" --root "$dir" --live --profile "$dir/profile.yaml" --verbose >"$dir/answer" 2>&1
[ $? = 1 ] || {
	echo "FAIL: k8scheck: the exit code is not 1"
	failures=$((failures + 1))
}
state >"$dir/after" 2>&1
diff "$dir/before" "$dir/after" || {
	echo "FAIL: containerd's state is not what it was before k8scheck asked"
	failures=$((failures + 1))
}
[ "$(wc -l <"$dir/before")" -ge 10 ] || {
	echo "FAIL: nothing was seen of containerd's state"
	cat "$dir/before"
	failures=$((failures + 1))
}
expect "k8scheck" '^  pass  *containerd '
expect "k8scheck" "containerd"
expect "k8scheck" '^  fail  *cri-o '
expect "k8scheck" 'expected  cri-o'

query 0 version status pods images
expect "several questions" '^runtime_name=containerd$'
expect "several questions" '^RuntimeReady=true$'
# There is no network configuration in the folder that it was given.
expect "several questions" '^NetworkReady=false$'
expect "several questions" '^NetworkReady.reason=NetworkPluginNotReady$'

# It is not CRI-O, and says so by speaking HTTP/2 alone.
query 1 info
expect info '^error 95: /run/containerd.sock: is not CRI-O'
query 1 config-file
expect config-file '^error 95: /run/containerd.sock: is not CRI-O'

# containerd knows RuntimeConfig since 2.0.
major=${version#v}
query "$([ "${major%%.*}" -lt 2 ] && echo 1 || echo 0)" config
expect config '^(error 95: /run/containerd.sock: .*UNIMPLEMENTED|cgroup_driver=(systemd|cgroupfs)$)'

# Stopped, it is silent; killed, it leaves its socket behind.
kill -STOP "$pid"
query 1 version
expect stopped '^error 110: /run/containerd.sock: accepted the connection and sent not one byte'
kill -CONT "$pid"
kill -KILL "$pid"
wait "$pid" 2>/dev/null
pid=
query 1 version
expect killed '^error 111: /run/containerd.sock: .*left behind by a daemon that is gone'

[ "$failures" = 0 ] || exit 1
echo "containerd ${version}: every answer is as expected"
