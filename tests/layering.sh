#!/usr/bin/env bash
# Holds what the architecture says about includes, and the length of files:
#   tests/layering.sh [ROOT]      prints each violation as file:line: text, exit 1 if there is one
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "${1:-$here/..}" && pwd)"
# shellcheck source=tests/style/files.sh
. "$here/style/files.sh"

lines_max=500
violations=0

complain() {
    printf '%s\n' "$1"
    violations=$((violations + 1))
}

# What a core may know of proto/: values and their meaning, never the encoding.
message='proto/(message|plan|requirements|body)\.h'

# Prints the pattern of quoted includes that are allowed in a file; nothing if it is not restricted.
allowed_includes() {
    case "$1" in
    lib/*) echo 'lib/[^/]+\.h' ;;
    proto/codec* | proto/wire*) echo '(lib|proto)/[^/]+\.h|([^/]+/)?[^/]+\.pb-c\.h' ;;
    proto/message*.h) echo 'lib/[^/]+\.h|proto/message_[a-z]+\.h' ;; # message.h is its parts
    proto/*) echo "lib/[^/]+\.h|$message" ;;
    broker/main.c | router/main.c | agentd/main.c)
        echo "${1%/*}/[^/]+\.h|(io|lib|proto)/[^/]+\.h|version\.h"
        ;;
    broker/* | router/* | agentd/*) echo "${1%%/*}/[^/]+\.h|lib/[^/]+\.h|$message" ;;
    io/*) echo '(io|lib|proto)/[^/]+\.h|version\.h' ;;
    cli/serve* | cli/demo*)
        # These run the three cores in one process, as three daemons' main.c would.
        echo '(cli|io|lib|proto)/[^/]+\.h|broker/broker\.h|router/router\.h|agentd/agentd\.h|version\.h'
        ;;
    cli/bench_matching.c)
        # Measures the matching tables themselves, without the router around them.
        echo '(cli|io|lib|proto)/[^/]+\.h|router/matching\.h|version\.h'
        ;;
    cli/*) echo '(cli|io|lib|proto)/[^/]+\.h|version\.h' ;;
    tests/scenario/* | tests/sim/*)
        echo "(tests/.*|broker/[^/]+|router/[^/]+|agentd/[^/]+|lib/[^/]+)\.h|$message|proto/codec\.h"
        ;;
    *) ;;
    esac
}

# The headers of standard C that do no I/O, read no clock and allocate nothing.
pure_headers='stdint|stddef|stdbool|string|limits|inttypes|stdarg'

allowed_headers() {
    case "$1" in
    broker/main.c | router/main.c | agentd/main.c) ;;
    proto/codec* | proto/wire*)
        echo "($pure_headers)\.h|sodium\.h|sodium/.*\.h|protobuf-c/protobuf-c\.h"
        ;;
    lib/* | proto/* | broker/* | router/* | agentd/*) echo "($pure_headers)\.h" ;;
    *) ;;
    esac
}

# The includes of one file as line:path, of the form given by its opening sign.
includes_of() {
    local sign="$1" file="$2"
    case "$sign" in
    quote) sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"([^"]*)".*/\1/p;t;s/.*//p' "$file" ;;
    angle) sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*<([^>]*)>.*/\1/p;t;s/.*//p' "$file" ;;
    esac | awk 'NF { print NR ":" $0 }'
}

check_includes() {
    local file="$1" sign="$2" allowed="$3" included line path
    [ -n "$allowed" ] || return 0
    included="$(includes_of "$sign" "$root/$file")"
    [ -n "$included" ] || return 0
    while IFS=: read -r line path; do
        if ! [[ "$path" =~ ^($allowed)$ ]]; then
            complain "$file:$line: must not include $path"
        fi
    done <<<"$included"
}

check_guard() {
    local file="$1" guard
    guard="$(tr 'a-z/.-' 'A-Z___' <<<"$file")"
    guard="${guard#TESTS_}"
    if ! grep -qE "^#ifndef (TESTS_)?$guard\$" "$root/$file"; then
        complain "$file:1: the include guard must be $guard"
    fi
}

check_length() {
    local file="$1" lines
    lines="$(wc -l <"$root/$file")"
    if [ "$lines" -gt "$lines_max" ]; then
        complain "$file:$lines: $lines lines, at most $lines_max allowed"
    fi
}

count=0
while read -r file; do
    count=$((count + 1))
    check_length "$file"
    case "$file" in
    *.c | *.h)
        check_includes "$file" quote "$(allowed_includes "$file")"
        check_includes "$file" angle "$(allowed_headers "$file")"
        ;;
    esac
    case "$file" in *.h) check_guard "$file" ;; esac
done < <(files_of "$root" '*.c' '*.h' '*.proto' '*.sh' '*.bats' 'CMakeLists.txt')

if [ "$violations" -gt 0 ]; then
    echo "layering: $violations violations in $count files"
    exit 1
fi
echo "layering: $count files are in order"
