#!/usr/bin/env bash
# check.sh [STEP...]: everything that tools/test.sh does not check. One line a step; stops at the first that fails.
# With arguments, only the steps whose names are given (the word in the second column).
set -euo pipefail
cd "$(dirname "$0")/.."
./tools/setup.sh gcc libc6-dev g++ cmake ninja-build pkg-config libcriterion-dev graphviz \
    clang clang-format valgrind gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
mkdir -p build
log=build/check.log
only=" $* "
passed=0

# step NAME WORDS COMMAND...
step() {
    local name=$1 words=$2 start=$SECONDS
    shift 2
    [[ $only == "  " || $only == *" $name "* ]] || return 0
    printf 'check  %-9s %-62s ' "$name" "$words"
    if "$@" >"$log" 2>&1; then
        printf 'ok %4d s\n' $((SECONDS - start))
        passed=$((passed + 1))
    else
        printf 'FAILED\n'
        tail -n 200 "$log"
        echo "check: '$name' failed, see above (all of it: $log)"
        exit 1
    fi
}

# build PRESET FOLDER OPTION...: the same preset in another build folder
build() {
    cmake --preset "$1" -B "build/$2" "${@:3}" && cmake --build "build/$2"
}
with_clang() {
    build release clang -D CMAKE_C_COMPILER=clang && ctest --test-dir build/clang --output-on-failure -R '^(unit|alloc)'
}
in_valgrind() {
    local half halves=() failed=0
    build release release || return
    for half in 1 2; do
        valgrind -q --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=definite \
            build/release/tests/inprocess -$half/2 &
        halves+=($!)
    done
    for half in "${halves[@]}"; do wait "$half" || failed=1; done
    return $failed
}
# arm64: the examples, whose checks compare with known results, under an emulator. There is no Criterion for it here.
on_arm64() {
    build release arm64 -D CMAKE_SYSTEM_NAME=Linux -D CMAKE_SYSTEM_PROCESSOR=aarch64 -D AG_TESTS=OFF \
        -D CMAKE_C_COMPILER=aarch64-linux-gnu-gcc
    local program scratch
    scratch=$(mktemp -d)
    for program in build/arm64/examples/[0-9][0-9]_*; do
        [[ -x $program ]] || continue
        echo "$program"
        (cd "$scratch" && qemu-aarch64 -L /usr/aarch64-linux-gnu "$OLDPWD/$program" --check)
    done
    rm -r "$scratch"
}

step includes "who may include whom" ./tools/check/includes.sh
step style "house rules, clang-format" ./tools/check/style.sh
step headers "each public header alone, C11 and C++17, gcc and clang" ./tests/headers/run.sh . gcc g++ clang clang++
step gcc "builds without a warning" build release release
step clang "builds without a warning, unit tests pass" with_clang
step neon "arm64: builds without a warning, examples pass under qemu" on_arm64
step asan "all tests under AddressSanitizer and UBSan, memory poisoned" cmake --workflow --preset asan
step tsan "tests in one process under ThreadSanitizer" cmake --workflow --preset tsan
step valgrind "tests in one process under valgrind" in_valgrind
echo "check: $passed steps passed in $SECONDS s"
