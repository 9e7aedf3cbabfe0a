#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Starts a real dbus-daemon whose every file lies in a folder of its own, with systemd mocked on it by
# python-dbusmock, and asks it through the door to the bus. The argument is the program that asks
# (tests/support/ask-bus.c). Exits with 77 where something for that is missing.

set -u -o pipefail

ask=$1
here=$(dirname "$(readlink -f "$0")")
failures=0

skip() {
	echo "skipped: $1"
	exit 77
}

# The distribution's interpreter first: it is the one that has the distribution's modules.
python=
for candidate in /usr/bin/python3 python3; do
	if "$candidate" -c 'import dbusmock' 2>/dev/null; then
		python=$candidate
		break
	fi
done
[ -n "$python" ] || skip "python3-dbusmock is not installed"
command -v dbus-daemon >/dev/null || skip "dbus-daemon is not installed"

dir=$(mktemp -d "${TMPDIR:-/tmp}/k8scheck-dbus-XXXXXX") || exit 1
pids=

clean_up() {
	for pid in $pids; do
		kill -CONT "$pid" 2>/dev/null
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	rm -rf --one-file-system "$dir"
}
trap clean_up EXIT

chmod 755 "$dir"
mkdir -p "$dir/run/dbus"
socket=$dir/run/dbus/system_bus_socket
cat >"$dir/bus.conf" <<END
<busconfig>
  <type>custom</type>
  <listen>unix:path=$socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <deny send_destination="org.freedesktop.systemd1" send_interface="org.freedesktop.systemd1.Manager" send_member="GetDefaultTarget"/>
  </policy>
</busconfig>
END

dbus-daemon --config-file="$dir/bus.conf" --nofork --nopidfile --nosyslog >"$dir/bus.log" 2>&1 &
bus=$!
pids=$bus
for _ in $(seq 100); do
	[ -S "$socket" ] && break
	kill -0 "$bus" 2>/dev/null || break
	sleep 0.1
done
[ -S "$socket" ] || skip "dbus-daemon cannot start here: $(tail -1 "$dir/bus.log")"

# expect NAME PATTERN: the last answer has a line that matches the extended regular expression.
expect() {
	if ! grep -Eq -- "$2" "$dir/answer"; then
		echo "FAIL: $1: nothing matches: $2"
		sed 's/^/    /' "$dir/answer"
		failures=$((failures + 1))
	fi
}

# query EXIT-CODE TIMEOUT QUESTION...: asks, and holds the exit code against the expected one.
query() {
	local code=$1 timeout=$2 got

	shift 2
	"${prefix[@]}" "$ask" "$dir" "$timeout" "$@" >"$dir/answer" 2>&1
	got=$?
	if [ "$got" != "$code" ]; then
		echo "FAIL: $*: exit code $got, not $code"
		sed 's/^/    /' "$dir/answer"
		failures=$((failures + 1))
	fi
}
prefix=(env --)

systemd=org.freedesktop.systemd1
manager=("$systemd" /org/freedesktop/systemd1 "$systemd.Manager")

# A bus without systemd on it, as in a container.
query 1 10s unit crio.service
expect "no systemd" '^error 107: systemd is not on the bus: nobody owns org.freedesktop.systemd1'

DBUS_SYSTEM_BUS_ADDRESS=unix:path=$socket "$python" -B -m dbusmock \
	--template "$here/systemd_mock.py" >"$dir/mock.log" 2>&1 &
mock=$!
pids="$mock $pids"
for _ in $(seq 100); do
	"$ask" "$dir" 2s property "${manager[@]}" Version >"$dir/answer" 2>&1 && break
	kill -0 "$mock" 2>/dev/null || break
	sleep 0.1
done
if ! kill -0 "$mock" 2>/dev/null; then
	cat "$dir/mock.log"
	echo "FAIL: the mock does not start"
	exit 1
fi

questions() {
	query 0 10s property "${manager[@]}" Version
	expect Version '^239 \(239-82\.el8\)$'
	query 0 10s property "${manager[@]}" UnitPath
	expect UnitPath '^/usr/lib/systemd/system$'
	query 0 10s unit crio.service
	expect crio '^LoadState=loaded$'
	expect crio '^ActiveState=active$'
	expect crio '^UnitFileState=enabled$'
	expect crio '^NeedDaemonReload=no$'
	expect crio '^MainPID=1234$'
	query 0 10s unit kubelet.service
	expect kubelet '^ActiveState=failed$'
	expect kubelet '^Result=exit-code$'
	expect kubelet '^NeedDaemonReload=yes$'
	query 0 10s unit swap.target
	expect swap '^SubState=active$'
	query 0 10s unit firewalld.service
	expect firewalld '^LoadState=not-loaded$'
	expect firewalld '^UnitFileState=disabled$'
	query 0 10s unit NetworkManager.service
	expect NetworkManager '^UnitFileState=masked$'
	query 0 10s unit none.service
	expect none '^LoadState=not-found$'
	query 0 10s property "$systemd" /org/freedesktop/systemd1/unit/crio_2eservice \
		"$systemd.Unit" After
	expect After '^network.target$'
	query 1 10s property "$systemd" /org/freedesktop/systemd1/unit/none_2eservice \
		"$systemd.Unit" LoadState
	expect "not loaded" '^error 2: '
	query 1 10s property org.freedesktop.timedate1 /org/freedesktop/timedate1 \
		org.freedesktop.timedate1 Timezone
	expect timedate1 '^error 2: .*org.freedesktop.timedate1 is not running'
	query 0 10s method org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus \
		NameHasOwner "$systemd"
	expect NameHasOwner '^yes$'
	query 1 10s method org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus \
		GetNameOwner org.example.Nobody
	expect GetNameOwner '^error 2: '
	query 1 10s method "${manager[@]}" GetDefaultTarget
	expect "denied by the bus" '^error 13: '
	query 1 10s method "${manager[@]}" StartUnit crio.service replace
	expect StartUnit '^error 1: '
}

questions
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	# A copy, since nobody may be let into the build folder.
	cp "$ask" "$dir/ask-bus"
	ask=$dir/ask-bus
	prefix=(setpriv --reuid=65534 --regid=65534 --clear-groups --)
	questions
	prefix=(env --)
	unprivileged="root and nobody"
else
	unprivileged="this user only"
fi

# A systemd that hangs costs one deadline, and the bus still answers for itself.
kill -STOP "$mock"
begin=$(date +%s%N)
query 0 500ms unit crio.service -- unit crio.service -- unit kubelet.service -- \
	method org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus NameHasOwner "$systemd"
elapsed=$((($(date +%s%N) - begin) / 1000000))
expect hung '^error 110: org.freedesktop.systemd1 did not answer within 500 ms$'
expect hung '^yes$'
if [ "$elapsed" -lt 450 ] || [ "$elapsed" -gt 1400 ]; then
	echo "FAIL: a hung systemd cost $elapsed ms, not one deadline of 500 ms"
	failures=$((failures + 1))
fi
kill -CONT "$mock"

# So does a bus that hangs; one that was killed leaves its socket behind.
kill -STOP "$bus"
query 1 500ms unit crio.service -- property "${manager[@]}" Version
expect "hung bus" '^error 110: the system bus at /run/dbus/system_bus_socket did not answer'
kill -KILL "$bus"
wait "$bus" 2>/dev/null
query 1 10s unit crio.service
expect "dead bus" '^error 107: there is no system bus: nobody listens'
rm -f "$socket"
query 1 10s unit crio.service
expect "no bus" '^error 107: there is no system bus: /run/dbus/system_bus_socket is missing'

[ "$failures" = 0 ] || exit 1
echo "dbus-daemon and a mocked systemd: every answer is as expected (as $unprivileged)"
