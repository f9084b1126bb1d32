#!/usr/bin/env bash
# Proves with nm that pure archives ask nobody for I/O, time, entropy, threads or memory:
#   tests/purity.sh CHECKED.a... [-- SUPPORT.a...]
# What is left undefined in each checked archive must be defined in itself or in a support archive,
# or be one of the memory and string functions, the check handler or the compiler's own runtime.
set -euo pipefail

if [ $# -eq 0 ]; then
    echo "usage: tests/purity.sh CHECKED.a... [-- SUPPORT.a...]" >&2
    exit 2
fi
checked=()
support=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    checked+=("$1")
    shift
done
shift || true
support=("$@")

# bcmp is what clang makes of a memcmp that is only compared with zero.
strings='bcmp|mem(cpy|move|set|cmp|chr)|str(len|nlen|cmp|ncmp|chr|rchr|spn|cspn|str)'
runtime='__(asan|ubsan|tsan|sanitizer|gcov|llvm|profc|sancov)_.*|__start___.*|__stop___.*'
runtime="$runtime|__stack_chk_fail|__(mem|str)[a-z]*_chk|_GLOBAL_OFFSET_TABLE_"
# gcc and clang call these for wide arithmetic; they are part of the language's implementation.
runtime="$runtime|__(u?divti3|u?modti3|multi3|mulodi4|popcountdi2|clzdi2|ctzdi2)"
allowed="^($strings|$runtime|check_handler)\$"

defined_in() {
    nm --defined-only "$@" 2>/dev/null | awk 'NF == 3 && $2 ~ /^[A-Z]$/ { print $3 }' | sort -u
}

impure=0
for archive in "${checked[@]}"; do
    if ! [ -s "$archive" ]; then
        echo "purity: no such archive: $archive" >&2
        exit 1
    fi
    unknown="$(comm -23 \
        <(nm -u "$archive" 2>/dev/null | awk '$1 == "U" || $1 == "w" { print $2 }' | sort -u) \
        <(defined_in "$archive" ${support[@]+"${support[@]}"}) | grep -vE "$allowed" || true)"
    if [ -n "$unknown" ]; then
        impure=$((impure + 1))
        echo "purity: $(basename "$archive") asks for what a pure archive must not:"
        nm -uA "$archive" 2>/dev/null | grep -wF -- "$unknown" | sed 's/^[^:]*:/    /'
    else
        echo "purity: $(basename "$archive") is pure"
    fi
done
[ "$impure" -eq 0 ]
