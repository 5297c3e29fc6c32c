#!/usr/bin/env bash
# accuracy.sh [STRIDE [SAMPLES]]: writes docs/accuracy.md from what this machine measures, for each instruction set it has. A
# stride of 1 tries every float (hours); needs build/release.
set -euo pipefail
cd "$(dirname "$0")/../.."
stride=${1:-4099} samples=${2:-200000}
page=docs/accuracy.md
{
    echo "# Accuracy and cost of the elementwise functions"
    echo
    echo "Largest error in units in the last place, and nanoseconds per element of a block of 4096, the cost of the node"
    echo "included. Functions of one f32 operand were tried at every ${stride}th bit pattern, the others at $samples random pairs"
    echo "or values, all at special values too. Written by \`tools/check/accuracy.sh $stride $samples\`."
    for isa in avx512 avx2 baseline neon; do
        table=$(AG_ISA=$isa build/release/tools/check/ulp --stride "$stride" --samples "$samples" 2>/dev/null)
        [[ $(head -n 1 <<<"$table") == "| $isa"* ]] || continue
        echo
        echo "$table"
    done
} >"$page.new"
mv "$page.new" "$page"
