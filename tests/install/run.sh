#!/bin/sh
# run.sh CMAKE GENERATOR BUILD COMPILER: installs the build below a scratch prefix and uses it as a stranger would, through
# find_package and through pkg-config, against the shared and the static library; then moves it and does so again.
set -eu
cmake=$1 generator=$2 build=$3 compiler=$4
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# run LABEL COMMAND...: prints what the command said only if it fails
run() {
    label=$1
    shift
    "$@" >"$work/log" 2>&1 || { echo "failed: $label"; cat "$work/log"; exit 1; }
    echo "ok: $label"
}

use() {
    prefix=$1 name=$2
    run "$name: find_package" "$cmake" -G "$generator" -S "$here" -B "$work/$name" \
        -D CMAKE_PREFIX_PATH="$prefix" -D CMAKE_C_COMPILER="$compiler"
    run "$name: find_package, build" "$cmake" --build "$work/$name"
    run "$name: find_package, shared" "$work/$name/shared"
    run "$name: find_package, static" "$work/$name/static"

    pc=$(dirname "$(find "$prefix" -name autograd.pc)")
    flags=$(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs autograd)
    libdir=$(PKG_CONFIG_PATH=$pc pkg-config --variable=libdir autograd)
    # shellcheck disable=SC2086 # $flags is a list
    run "$name: pkg-config, build" "$compiler" -std=c11 "$here/main.c" -o "$work/$name/pc" $flags
    run "$name: pkg-config, run" env LD_LIBRARY_PATH="$libdir" "$work/$name/pc"
    case $libdir in "$prefix"/*) ;; *) echo "failed: $name: pkg-config leads to $libdir"; exit 1 ;; esac
}

run "install" "$cmake" --install "$build" --prefix "$work/first"
use "$work/first" installed
mv "$work/first" "$work/second"
use "$work/second" moved
