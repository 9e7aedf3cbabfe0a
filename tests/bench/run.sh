#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Measures k8scheck, and goss beside it where it is installed: run.sh PROGRAM MEASURE FAKE-RUNTIME FAKE-BUS [RUNS]
# Figures of one machine and one moment: what counts is the ratio of two rows of one run. Never a test.
set -euo pipefail
program=$1 measure=$2 fake_runtime=$3 fake_bus=$4 runs=${5:-20}
here=$(dirname "$(readlink -f "$0")")
tmp=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null; rm -rf "$tmp"' EXIT

"$fake_runtime" "$tmp/crio.sock" crio &
server=$!
for _ in $(seq 100); do [ -S "$tmp/crio.sock" ] && break; sleep 0.05; done

row() {
    local name=$1 n=$2
    shift 2
    printf '%-46s ' "$name"
    "$measure" "$n" "$@"
}

python3 "$here/bench_profile.py" 20 "$tmp/crio.sock" >"$tmp/small.yaml"
# goss judges the running system alone, so that --horizon now is the like of it.
row '20 sysctl rules and a socket, now, text' "$runs" "$program" --live --profile "$tmp/small.yaml" --horizon now
row '20 sysctl rules and a socket, text' "$runs" "$program" --live --profile "$tmp/small.yaml"
row '20 sysctl rules and a socket, junit' "$runs" "$program" --live --profile "$tmp/small.yaml" --report junit
row '20 sysctl rules and a socket, json' "$runs" "$program" --live --profile "$tmp/small.yaml" --report json
python3 "$here/bench_profile.py" list "$tmp" "$tmp/crio.sock" >"$tmp/list.yaml"
row "goss's list of the set-up, text" "$runs" "$program" --live --profile "$tmp/list.yaml"
row "goss's list of the set-up, --sandbox=off" "$runs" "$program" --live --profile "$tmp/list.yaml" --sandbox=off
row "goss's list of the set-up, junit" "$runs" "$program" --live --profile "$tmp/list.yaml" --report junit

# The whole profile, with a bus and a runtime that answer: mounts of its own, since the bus has one address.
whole=("$program" --live --profile crio-1.18 --var "crio-socket=$tmp/crio.sock")
mkdir -p "$tmp/host/run/dbus"
if unshare -m true 2>/dev/null; then
    whole_script=$tmp/whole.sh
    cat >"$whole_script" <<END
mkdir -p /run/dbus
mount --bind "$tmp/host/run/dbus" /run/dbus
"$fake_bus" "$tmp/host" answers >/dev/null &
bus=\$!
for _ in \$(seq 100); do [ -S /run/dbus/system_bus_socket ] && break; sleep 0.05; done
exec_row() { printf '%-46s ' "\$1"; shift; "$measure" "\$@"; }
exec_row 'crio-1.18, text' $runs ${whole[*]}
exec_row 'crio-1.18, text, --sandbox=off' $runs ${whole[*]} --sandbox=off
exec_row 'crio-1.18, now, text' $runs ${whole[*]} --horizon now
exec_row 'crio-1.18, json' $runs ${whole[*]} --report json
kill \$bus
END
    unshare -m bash "$whole_script"
else
    row 'crio-1.18 without a bus, text' "$runs" "${whole[@]}"
fi
for n in 1000 10000 40000; do
    python3 "$here/bench_profile.py" $n >"$tmp/$n.yaml"
    row "$n sysctl rules, now, junit" $((runs / 4 + 1)) "$program" --live --profile "$tmp/$n.yaml" --horizon now --report "junit=$tmp/out.xml"
    row "$n sysctl rules, junit" $((runs / 4 + 1)) "$program" --live --profile "$tmp/$n.yaml" --report "junit=$tmp/out.xml"
done
row 'k8scheck --version' "$runs" "$program" --version
row '/bin/true' "$runs" /bin/true

if command -v goss >/dev/null; then
    python3 "$here/goss.py" 20 "$tmp/crio.sock" >"$tmp/small.goss.yaml"
    python3 "$here/goss.py" 10000 >"$tmp/10000.goss.yaml"
    goss=$(command -v goss)
    row 'goss: 20 kernel-params and a socket, junit' "$runs" "$goss" -g "$tmp/small.goss.yaml" validate --format junit
    row 'goss: 10000 kernel-params, junit' 5 "$goss" -g "$tmp/10000.goss.yaml" validate --format junit
else
    echo 'goss is not installed, so there is nothing beside it here'
fi
