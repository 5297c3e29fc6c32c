#!/bin/sh
# kernels.sh OBJECT...: each kernel object, .../autograd_kernels_ISA.dir/..., shows one symbol, its table, and no object uses
# instructions wider than its name promises; those outside of kernels are baseline. Reads x86-64 and any other ELF.
set -eu
status=0

# complain OBJECT WHAT LINES: a test fails when there are any lines
complain() {
    [ -z "$3" ] && return
    echo "$1 $2:"
    echo "$3" | head -n 5 | sed 's/^/    /'
    status=1
}

kernels=0
for object in "$@"; do
    isa=$(echo "$object" | sed -n 's/.*autograd_kernels_\([a-z0-9]*\)\.dir.*/\1/p')
    if [ -n "$isa" ]; then
        kernels=$((kernels + 1))
        file=$(basename "$object" | sed 's/\.c\.o$//')
        complain "$object" "shows other symbols than its table" "$(nm --defined-only --extern-only "$object" |
            awk -v table="ag__kernels_${file}_$isa" '$NF != table')"
    fi
    case $isa in
        avx512) continue ;;
        avx2) wide='%zmm|%[xy]mm(1[6-9]|2[0-9]|3[01])|%k[0-7]' ;;
        *) wide='%[yz]mm|%k[0-7]|[[:space:]]v[a-z0-9]+[[:space:]].*%xmm' ;;
    esac
    complain "$object" "holds instructions too wide for ${isa:-baseline}" "$(objdump -d --no-show-raw-insn "$object" | grep -E "$wide" || true)"
done
[ "$kernels" -gt 0 ] || complain "$1" "is not among kernels" "(no kernel object given)"
exit $status
