#!/bin/sh
# demo.sh: installs what is missing, builds, and trains a three-layer network on Fisher's irises.
set -eu
cd "$(dirname "$0")/.."
./tools/setup.sh gcc libc6-dev cmake ninja-build --wish graphviz

echo "demo: building in build/release"
mkdir -p build/release/iris
{ { [ -e build/release/build.ninja ] || cmake --preset release -D AG_TESTS=OFF; } && # where tests are built they stay
    cmake --build --preset release --target 04_iris; } >build/demo.log 2>&1 ||
    { cat build/demo.log; echo "demo: the build failed, see above"; exit 1; }

echo "demo: running build/release/examples/04_iris"
cd build/release/iris
../examples/04_iris
for picture in *.svg; do
    [ ! -e "$picture" ] || echo "demo: the picture is build/release/iris/$picture"
done
