#!/bin/sh
# style.sh: the house rules that a machine can see. Run in the source root; prints each offending line under its rule.
set -eu
library=$(find autograd ops nn optim -name '*.[ch]' -o -name '*.def')
sources=$(find autograd ops nn optim examples tests tools -name '*.[ch]')
texts=$(find autograd ops nn optim examples tests tools .ci -type f ! -path '*/data/*'; ls -- *.md CMake*)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0

# rule WORDS: its input are the lines that break it
rule() {
    lines=$(cat)
    [ -n "$lines" ] || return 0
    echo "$1:"
    echo "$lines" | sed 's/^/    /' | head -n 20
    status=1
}

# calls NAMES: where the library's code (not its comments and strings) calls one of these functions
calls() {
    # shellcheck disable=SC2086 # a list
    awk -f tools/check/code.awk $library | grep -E "^[^:]*:[0-9]+:(.*[^[:alnum:]_.>])?($1)[[:space:]]*\\(" || true
}

calls 'abort|_?exit|_Exit|quick_exit|v?printf|puts|putchar|perror|assert' >"$log"
rule "the library never aborts, exits or prints" <"$log"

calls 'malloc|calloc|realloc|free|aligned_alloc|posix_memalign|strn?dup|v?asprintf|getline|alloca' |
    grep -v '^autograd/arena\.c:' >"$log" || true
rule "one file allocates: autograd/arena.c" <"$log"

# shellcheck disable=SC2086
awk -f tools/check/code.awk $sources |
    grep -E 'typedef .*[a-z0-9]_t;|:} *[a-z0-9_]+_t;|(struct|enum|union) +[a-z0-9_]+_t( *\{|;|$)' >"$log" || true
rule "no type of ours ends in _t" <"$log"

# A public header is the manual and as long as what it describes.
manual=" $(sed -n 's/^set(AG_PUBLIC_HEADERS \(.*\))$/\1/p' CMakeLists.txt) "
# shellcheck disable=SC2086
awk -v manual="$manual" 'FILENAME !~ /^tests\// && ++n[FILENAME] == 501 && !index(manual, " " FILENAME " ") { print FILENAME }' \
    $sources >"$log"
rule "a file has at most 500 lines, but for public headers" <"$log"

# shellcheck disable=SC2086
awk 'FNR == 1 && !/^\/\*/ { print FILENAME }' $library $sources | sort -u >"$log"
rule "a file opens with its idea, in a comment" <"$log"

# shellcheck disable=SC2086
grep -nE '\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b' $texts >"$log" || true
rule "nothing is left to do in the code" <"$log"

# shellcheck disable=SC2086
grep -nE '(^|[^[:alnum:].])/(home|root|Users)/|(deb|archive|security|snapshot|registry|pypi)\.[a-z]+\.(org|com|net)' \
    $texts >"$log" || true
rule "no path of one machine, no host of a package registry" <"$log"

case $(clang-format --version) in
    *"version 14."*)
        # shellcheck disable=SC2086
        clang-format --dry-run -Werror $sources 2>&1 | sed -n 's/: error: code should.*//p' >"$log"
        rule "clang-format -i would change these places" <"$log" ;;
    *) echo "clang-format is not version 14: layout not checked" ;;
esac
exit $status
