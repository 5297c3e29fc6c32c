#!/usr/bin/env bash
# transcript.sh PROGRAM FILE.md: FILE.md with every command in its ```console blocks run again. Lines that begin with "$ "
# are commands, what follows them is their output; an exit code other than 0 is written as [exit N]. Commands see PROGRAM
# as `autograd` and run, one after another, in a scratch copy of the folder data/ beside the file, if there is one, else of
# tests/cli/data.
#
#     tools/cli/transcript.sh build/release/tools/cli/autograd docs/cli.md >new.md && mv new.md docs/cli.md
set -euo pipefail
program=$(realpath "$1") file=$(realpath "$2")
root=$(cd "$(dirname "$0")/../.." && pwd)
data=$(dirname "$file")/data
[ -d "$data" ] || data=$root/tests/cli/data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/here"
ln -s "$program" "$work/bin/autograd"
cp "$data"/* "$work/here"
cd "$work/here"
export PATH="$work/bin:$PATH" LC_ALL=C.UTF-8

inside=false
while IFS= read -r line; do
    case $line in
        '```console') inside=true ;;
        '```') inside=false ;;
        '$ '*)
            if $inside; then
                printf '%s\n' "$line"
                code=0
                output=$(bash -c "${line#\$ }" 2>&1 </dev/null) || code=$?
                [ -z "$output" ] || printf '%s\n' "$output"
                [ "$code" = 0 ] || printf '[exit %d]\n' "$code"
                continue
            fi ;;
    esac
    case $inside:$line in
        true:'```console' | false:*) printf '%s\n' "$line" ;;
    esac
done <"$file"
