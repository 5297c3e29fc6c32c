#!/bin/sh
# includes.sh: who may include whom. Run in the source root.
#
#     ops/kernels  only tables, ops/*.def         nn, optim        autograd, ops: their public headers
#     ops          autograd, ops, kernels         tools, examples  public headers
#     autograd     autograd, ops/ops.h            public headers   public headers
#
# and every file those of its own folder.
set -eu
headers=$(sed -n 's/^set(AG_PUBLIC_HEADERS \(.*\))$/\1/p' CMakeLists.txt)

# FILE:LINE:HEADER for every #include "HEADER", a header beside the file made folder/header
find autograd ops nn optim tools examples -name '*.[ch]' -o -name '*.def' | sort |
    xargs grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' /dev/null |
    sed -E 's/^([^:]*):([0-9]+):[^"]*"([^"]*)".*/\1:\2:\3/' |
    awk -F: -v headers="$headers" '
        BEGIN {
            n = split(headers, list, " ")
            for (i = 1; i <= n; i++) public[list[i]] = 1
            may["ops/kernels"] = "^ops/[^/]*[.]def$"
            may["ops"] = "^(autograd|ops|ops/kernels)/[^/]*$"
            may["autograd"] = "^ops/ops[.]h$"
        }
        {
            folder = $1; sub(/\/[^\/]*$/, "", folder)
            header = $3 ~ /\// ? $3 : folder "/" $3
            own = index(header, folder "/") == 1
            if (folder in may) ok = header ~ may[folder]
            else if (folder ~ /^(nn|optim)$/) ok = header in public && header ~ /^(autograd|ops)\//
            else ok = header in public || (folder ~ /^tools\// && header ~ /^tools\//)
            ok = (ok || own) && (header in public || !($1 in public))
        }
        !ok || header ~ /\.\./ { print $1 ":" $2 ": may not include " $3; bad = 1 }
        END { exit bad }'
