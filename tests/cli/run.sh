#!/usr/bin/env bash
# run.sh PROGRAM: the `autograd` command from outside.
#   * Every transcript (README.md, docs/cli.md, tests/cli/*.md) says what the program prints. How far two numbers are
#     apart, such as 1.3e-12, does not count: that depends on the machine.
#   * Every example of --help runs; every option is in the manual page and in the completion.
#   * What fuzzing found, tests/cli/corpus, is a program or an error, not a crash.
set -euo pipefail
program=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# judge CODE WORDS...
judge() {
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: ${*:2}"
    fi
}

# transcripts

plain() { sed -E 's/[0-9]\.[0-9]e[-+][0-9]{2}/_.__e-__/g' "$1"; }

for file in "$root/README.md" "$root/docs/cli.md" "$here"/*.md; do
    "$root/tools/cli/transcript.sh" "$program" "$file" >"$work/new.md"
    code=0
    diff -u <(plain "$file") <(plain "$work/new.md") || code=1
    judge $code "${file#"$root"/} is not what the program prints; tools/cli/transcript.sh writes it anew"
done

# help

mkdir "$work/bin" "$work/here"
ln -s "$program" "$work/bin/autograd"
cp "$here"/data/* "$root"/examples/data/*.csv "$work/here"
cd "$work/here"
PATH=$work/bin:$PATH
autograd graph 'tanh(w*x + b)^2' x=2 w=0.5 b=-1 -o model.aggraph
has_dot=$(command -v dot || true)
for command in '' eval grad explain graph check ops; do
    help=$(autograd $command --help)
    while IFS= read -r example; do
        case $example in *' graph '* | *' -o '*.pdf*) [ -n "$has_dot" ] || continue ;; esac
        code=0
        bash -o pipefail -c "$example" >"$work/log" 2>&1 </dev/null || code=$?
        judge $code "$example: $(cat "$work/log")"
    done < <(sed -nE 's/^  ((autograd|printf) .*)$/\1/p' <<<"$help")
    while IFS= read -r option; do
        code=0
        grep -qF -- "${option//-/\\-}" "$root/tools/cli/autograd.1" || code=1
        grep -qF -- "$option" "$root/tools/cli/autograd.bash" || code=1
        judge $code "$option of '$command' is not in autograd.1 and autograd.bash"
    done < <(grep -oE '(^| )--?[a-z][a-z0-9]*' <<<"$help" | tr -d ' ' | sort -u)
done

# completion: of each command exactly the options of its --help, and names of operations

. "$root/tools/cli/autograd.bash"
complete_words() { # WORD...: what is offered for the last
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _autograd
    printf '%s\n' "${COMPREPLY[@]}" | sort
}
for command in eval grad explain graph check ops; do
    offered=$(complete_words autograd $command -)
    said=$(autograd $command --help | grep -oE '(^| |\[)--?[a-z][a-z0-9]*' | tr -d ' [' | sort -u)
    code=0
    [ "$offered" = "$(printf '%s\n--help\n' "$said" | sort -u)" ] || code=1
    judge $code "options of '$command': completion offers" $offered "help has" $said
done
code=0
[ "$(complete_words autograd ops cosh)" = cosh ] && [ "$(complete_words autograd expl)" = explain ] || code=1
judge $code "completion of names"

# fuzzing

for file in "$here"/corpus/*; do
    code=0
    autograd eval - x='[0.5, 1, 2]' A='[1, 2, 3; 4, 5, 6]' <"$file" >"$work/log" 2>&1 || code=$?
    case $code in 0 | 2 | 3) code=0 ;; esac
    grep -qE 'Sanitizer|runtime error' "$work/log" && code=1
    judge $code "${file#"$root"/}: $(cat "$work/log")"
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
