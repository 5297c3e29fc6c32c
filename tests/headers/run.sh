#!/bin/sh
# run.sh SOURCE COMPILER...: each public header compiles alone, as C11 and, by a C++ compiler, as C++17.
set -eu
source=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# shellcheck disable=SC2013 # the line is a list of words
for header in $(sed -n 's/^set(AG_PUBLIC_HEADERS \(.*\))$/\1/p' "$source/CMakeLists.txt"); do
    echo "#include \"$header\"" >"$work/header.c"
    cp "$work/header.c" "$work/header.cpp"
    for compiler in "$@"; do
        case $compiler in
            *++*) dialect=c++17 file=header.cpp ;;
            *) dialect=c11 file=header.c ;;
        esac
        "$compiler" -std=$dialect -Wall -Wextra -Wpedantic -Wshadow -Werror -fsyntax-only -I"$source" "$work/$file" ||
            { echo "$header does not compile alone: $compiler -std=$dialect"; exit 1; }
    done
done
