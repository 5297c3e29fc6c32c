#!/bin/sh
# coverage.sh: builds and runs the tests under gcov, then prints the lines covered of each library file, worst first.
set -eu
cd "$(dirname "$0")/../.."
find build/coverage -name '*.gcda' -delete 2>/dev/null || true
./tools/test.sh coverage >build/coverage.log 2>&1 || { tail -n 50 build/coverage.log; exit 1; }
find build/coverage/CMakeFiles/autograd_objects.dir -name '*.gcda' -exec gcov -n {} + 2>/dev/null |
    awk -v root="$PWD/" -F"[':% ]+" '
        /^File/ { file = $2; if (index(file, root) == 1) file = substr(file, length(root) + 1) }
        /^Lines executed/ && file ~ /^(autograd|ops|nn|optim)\// && $5 > seen[file] + 0 { seen[file] = $5; at[file] = $3 }
        /^Lines executed/ { file = "" } # the last one is the sum
        END { for (f in seen) { printf "%6.2f %% of %5d  %s\n", at[f], seen[f], f; n += seen[f]; c += seen[f] * at[f] / 100 }
              if (n) printf "%6.2f %% of %5d  all\n", 100 * c / n, n }' | sort -n
