#!/bin/sh
# run.sh SOURCE LIBRARY COMPILER: the first ```c block of README.md compiles, runs, learns, and reports no error.
set -eu
source=$1 library=$2 compiler=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk '/^```c$/ { on = 1; next } on && /^```/ { exit } on' "$source/README.md" >"$work/example.c"
[ -s "$work/example.c" ] || { echo 'README.md has no ```c block'; exit 1; }
"$compiler" -std=c11 -Wall -Wextra -Wpedantic -Werror -I"$source" -I"$work" "$source/tests/readme/main.c" \
    -o "$work/example" "$library" -lm -pthread
"$work/example" 2>"$work/errors" || { echo "the example failed"; cat "$work/errors"; exit 1; }
[ ! -s "$work/errors" ] || { cat "$work/errors"; exit 1; }
