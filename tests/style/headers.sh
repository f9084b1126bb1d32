#!/usr/bin/env bash
# Every header compiles alone and may be included twice:
#   tests/style/headers.sh ROOT CC [FLAG...]
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/style/files.sh
. "$here/files.sh"
root="$(cd "$1" && pwd)"
cc="$2"
shift 2
cd "$root" # quoted includes of what comes from a pipe are looked for here first

failed=0
count=0
while read -r header; do
    outside=()
    case "$header" in io/* | cli/* | tests/*) outside=(-D_GNU_SOURCE) ;; esac
    # cmocka's header is the one library header that needs others before it.
    cmocka=()
    case "$header" in
    tests/*) cmocka=(-include stdarg.h -include stddef.h -include stdint.h -include setjmp.h) ;;
    esac
    count=$((count + 1))
    if ! printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
        "$cc" -std=c11 -fsyntax-only -Wall -Wextra -Wpedantic -Werror -x c -I"$root" \
            ${outside[@]+"${outside[@]}"} ${cmocka[@]+"${cmocka[@]}"} "$@" -; then
        echo "$header does not compile alone"
        failed=$((failed + 1))
    fi
done < <(files_of "$root" '*.h')
echo "headers: $failed of $count do not compile alone"
[ "$failed" -eq 0 ]
