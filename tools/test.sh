#!/bin/sh
# test.sh [PRESET]: installs what is missing, builds, runs every test; ends with the summaries of Criterion and ctest.
# Presets: release (the default), debug, asan, tsan, coverage.
set -eu
cd "$(dirname "$0")/.."
./tools/setup.sh gcc libc6-dev cmake ninja-build pkg-config libcriterion-dev graphviz
exec cmake --workflow --preset "${1:-release}"
