#!/bin/sh
# run.sh LIBRARY: what libautograd.so shows to the world, and what it wants from it.
set -eu
library=$1
status=0

# complain WHAT NAMES: a test fails when there are any names
complain() {
    [ -z "$2" ] && return
    echo "$library $1:"
    echo "$2" | sed 's/^/    /'
    status=1
}

exported=$(nm -D --defined-only "$library" | awk '{ print $NF }')
imported=$(nm -D --undefined-only "$library" | awk '{ sub(/@.*/, "", $NF); print $NF }')
needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
soname=$(readelf -d "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')

complain "exports other names than ag_" "$(echo "$exported" | grep -v '^ag_[a-z]' || true)"
complain "can abort, exit or print" "$(echo "$imported" |
    grep -xE 'abort|_?exit|_Exit|quick_exit|puts|putchar|perror|v?printf|__v?printf_chk|__assert_fail|__assert' || true)"
complain "needs more than libc, libm and pthreads" "$(echo "$needed" |
    grep -vxE 'lib(c|m|pthread)\.so\.[0-9]+|ld-linux.*' || true)"
complain "wants an executable stack or text relocations" "$(readelf -dW "$library" | grep TEXTREL || true)$(
    readelf -lW "$library" | grep 'GNU_STACK.*RWE' || true)"
case $soname in libautograd.so.[0-9]*) ;; *) complain "has no soname" "(soname '$soname')" ;; esac
[ -n "$exported" ] || complain "exports nothing" "(none)"
exit $status
