#!/bin/sh
# pictures.sh: draws the pictures of the README, docs/NAME.svg, from the examples.
#
# A picture stands on a white sheet with round corners, since a README is read on dark grounds too.
set -eu
cd "$(dirname "$0")/.."
./tools/setup.sh gcc libc6-dev cmake ninja-build graphviz
mkdir -p build docs
sheet=$(mktemp)
trap 'rm -f "$sheet" "$sheet.svg"' EXIT

echo "pictures: building in build/release"
{ { [ -e build/release/build.ninja ] || cmake --preset release -D AG_TESTS=OFF; } && # where tests are built they stay
    cmake --build --preset release --target 01_scalar 02_logistic 03_xor 04_iris; } >build/pictures.log 2>&1 ||
    { cat build/pictures.log; echo "pictures: the build failed, see above"; exit 1; }

# The sheet takes the place of Graphviz's own ground, which has corners; comments say the version of Graphviz, so they go.
for example in 01_scalar 02_logistic 03_xor 04_iris; do
    picture=docs/${example#*_}.svg
    "build/release/examples/$example" --check -o "$sheet.svg"
    awk '/^<!--/ { comment = 1 }
         !comment && /^<g id="graph0"/ { print "<rect width=\"100%\" height=\"100%\" rx=\"12\" fill=\"#ffffff\"/>" }
         !comment && !(/^<polygon fill="#ffffff"/ && !ground++)
         /-->/ { comment = 0 }' "$sheet.svg" >"$sheet"
    cp "$sheet" "$picture"
    chmod 644 "$picture"
    echo "pictures: $picture"
done
