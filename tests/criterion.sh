#!/bin/sh
# criterion.sh PROGRAM SOURCE...: runs a Criterion program, and fails also on what Criterion lets pass:
# tests that were compiled but never found ("Tested: 0" is a success to it), and sanitizer reports.
set -eu
program=$1
shift
written=$(cat "$@" | grep -cE '^(Test|TestEveryISA|ParameterizedTest|Theory)\(' || true)
found=$("$program" --list | grep -vcE ': [0-9]+ tests?$' || true)  # all lines but the suites
log=$(mktemp)
trap 'rm -f "$log"' EXIT

status=0
"$program" >"$log" 2>&1 || status=$?
cat "$log"

if [ "$found" -lt "$written" ] || ! grep -q 'Tested: [^ ]*[1-9]' "$log"; then
    echo "criterion.sh: the sources hold $written tests or more, the program $found: $(grep 'Tested:' "$log")"
    exit 1
fi
if grep -qE 'LeakSanitizer|AddressSanitizer|runtime error:' "$log"; then
    echo "criterion.sh: a sanitizer reported something, see above"
    exit 1
fi
exit "$status"
