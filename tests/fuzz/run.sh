#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzzers by clang and runs each for some seconds: run.sh SECONDS [NAME…]. KC_FUZZ_JOBS says how many
# at a time (2). What one finds is kept in build-fuzz/findings, as a file that replays it.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
seconds=${1:-5}
shift
jobs=${KC_FUZZ_JOBS:-2}
build="build-fuzz"

if ! command -v clang >/dev/null; then
    echo "skipped: clang is not installed"
    exit 77
fi
if [ ! -f $build/build.ninja ]; then
    CC=clang CXX=clang++ meson setup $build -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false >$build.log 2>&1 || {
        cat $build.log
        exit 1
    }
    rm -f $build.log
fi
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    for source in tests/fuzz/fuzz-*.c; do
        name=${source##*/fuzz-}
        names+=("${name%.c}")
    done
fi
# A folder of an older state learns of new targets first.
ninja -C $build build.ninja >$build/ninja.log 2>&1 || {
    tail -n 40 $build/ninja.log
    exit 1
}
# Whole, for grep -q would end ninja half-way, and pipefail take that for a fuzzer that is not there.
known=$(ninja -C $build -t targets all)
targets=()
for name in "${names[@]}"; do
    grep -q "^tests/fuzz/fuzz-$name:" <<<"$known" && targets+=("tests/fuzz/fuzz-$name")
done
ninja -C $build "${targets[@]}" >$build/ninja.log 2>&1 || {
    tail -n 40 $build/ninja.log
    exit 1
}
mkdir -p $build/findings $build/logs

fuzz() {
    local name=$1 corpus=$build/corpus-$1
    mkdir -p "$corpus"
    cp -n tests/fuzz/corpus/"$name"/* "$corpus" 2>/dev/null
    "$build/tests/fuzz/fuzz-$name" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 -max_len=65536 \
        -artifact_prefix="$build/findings/$name-" "$corpus" >"$build/logs/$name" 2>&1
    local code=$?
    printf '%-18s %s%s\n' "$name" "$(grep -oE '^Done [0-9]+ runs' "$build/logs/$name")" "$([ $code -eq 0 ] || echo " FOUND SOMETHING")"
    [ $code -eq 0 ] || tail -n 30 "$build/logs/$name"
    return $code
}

wrong=0
pids=()
for target in "${targets[@]}"; do
    fuzz "${target#tests/fuzz/fuzz-}" &
    pids+=($!)
    if [ ${#pids[@]} -ge "$jobs" ]; then
        wait "${pids[0]}" || wrong=1
        pids=("${pids[@]:1}")
    fi
done
for pid in "${pids[@]}"; do
    wait "$pid" || wrong=1
done
echo "${#targets[@]} fuzzers, $seconds s each"
[ ${#targets[@]} -gt 0 ] || wrong=1
exit $wrong
