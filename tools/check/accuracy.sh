#!/usr/bin/env bash
# accuracy.sh [STRIDE [SAMPLES]]: writes docs/accuracy.md from what this machine measures, for each instruction set it has. A
# stride of 1 tries every float (hours). Builds in build/release; the machine should have nothing else to do.
set -euo pipefail
cd "$(dirname "$0")/../.."
stride=${1:-40009} samples=${2:-50000}
page=docs/accuracy.md
ulp=build/release/tools/check/ulp
mkdir -p build
echo "accuracy: building in build/release"
{ cmake --preset release && cmake --build --preset release --target ulp; } >build/accuracy.log 2>&1 ||
    { cat build/accuracy.log; echo "accuracy: the build failed, see above"; exit 1; }
{
    echo "# Accuracy and cost of the elementwise functions"
    echo
    echo "Largest error in units in the last place, and nanoseconds per element of a block of 4096, the cost of the node"
    echo "included. Functions of one f32 operand were tried at every ${stride}th bit pattern, the others at $samples random pairs"
    echo "or values, all at special values too. Written by \`tools/check/accuracy.sh $stride $samples\`."
} >"$page.new"
for isa in avx512 avx2 baseline neon; do
    # in the place of an instruction set that this machine lacks the program takes another, whose name stands at the top
    [[ $(AG_ISA=$isa "$ulp" --stride 4294967295 --samples 1 exp 2>/dev/null) == "| $isa "* ]] || continue
    table=$(AG_ISA=$isa "$ulp" --stride "$stride" --samples "$samples" 2>build/accuracy.log) ||
        { cat build/accuracy.log; echo "accuracy: in $isa a function is further off than it may be"; exit 1; }
    printf '\n%s\n' "$table" >>"$page.new"
    echo "accuracy: $isa"
done
mv "$page.new" "$page"
echo "accuracy: $page"
