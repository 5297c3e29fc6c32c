#!/usr/bin/env bash
# run.sh [RUNS [SEED]]: fuzzes the command's expressions and the reader of .aggraph files under AddressSanitizer and UBSan,
# RUNS times each (1,000,000 if not said), from the corpus that the tests replay. What is found is written to build/fuzz,
# and belongs into that corpus once it is mended.
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${1:-1000000} seed=${2:-1}
./tools/setup.sh cmake ninja-build clang
log=build/fuzz.log
mkdir -p build/fuzz/new
{ cmake --preset fuzz && cmake --build --preset fuzz --target fuzz_expression fuzz_aggraph; } >"$log" 2>&1 ||
    { tail -n 60 "$log"; echo "fuzz: the build failed, see $log"; exit 1; }

# fuzz NAME CORPUS OPTION...
fuzz() {
    local name=$1 corpus=$2 start=$SECONDS
    shift 2
    mkdir -p "build/fuzz/new/$name"
    "build/fuzz/tools/fuzz/fuzz_$name" -runs="$runs" -seed="$seed" -timeout=20 -rss_limit_mb=4096 "$@" \
        -artifact_prefix="build/fuzz/$name-" "build/fuzz/new/$name" "$corpus" >"$log" 2>&1 ||
        { tail -n 40 "$log"; echo "fuzz: $name: a finding, see above; the input is build/fuzz/$name-*"; exit 1; }
    echo "fuzz: $name: $runs runs, nothing found, in $((SECONDS - start)) s"
}
fuzz expression tests/cli/corpus -max_len=200 -dict=tools/fuzz/expression.dict
fuzz aggraph tests/autograd/corpus -max_len=4096
