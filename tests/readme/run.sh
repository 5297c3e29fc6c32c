#!/bin/sh
# run.sh SOURCE LIBRARY COMPILER: the examples of the documents compile, run and do what they say: the first ```c block of
# README.md, and the first indented block that defines functions in op.h and nn.h.
set -eu
source=$1 library=$2 compiler=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk '/^```c$/ { on = 1; next } on && /^```/ { exit } on' "$source/README.md" >"$work/README.c"
for header in autograd/op nn/nn; do
    awk '/^ \*     static / { on = 1 } on && !/^ \*     / { exit } on { print substr($0, 4) }' "$source/$header.h" >"$work/${header#*/}.c"
done

# try PROGRAM EXAMPLE...
try() {
    program=$1
    shift
    for example in "$@"; do
        [ -s "$work/$example.c" ] || { echo "$example has no example"; exit 1; }
    done
    "$compiler" -std=c11 -Wall -Wextra -Wpedantic -Werror -I"$source" -I"$work" "$source/tests/readme/$program.c" \
        -o "$work/$program" "$library" -lm -pthread
    "$work/$program" 2>"$work/errors" || { echo "the example failed"; cat "$work/errors"; exit 1; }
    [ ! -s "$work/errors" ] || { cat "$work/errors"; exit 1; }
}

try main README
try headers op nn
