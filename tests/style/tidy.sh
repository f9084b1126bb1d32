#!/usr/bin/env bash
# clang-tidy, one file per process (several files in one process give false reports in version 14):
#   tests/style/tidy.sh BUILD_DIR [FILE...]        FILE relative to the root, all by default
# BUILD_DIR is a configured and built clang build, for its compile_commands.json.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
# shellcheck source=tests/style/files.sh
. "$here/files.sh"
build="$(cd "$1" && pwd)"
shift
tidy="$(command -v clang-tidy-14 || command -v clang-tidy || true)"
if [ -z "$tidy" ]; then
    echo "tidy: clang-tidy is missing; it is in the Debian package clang-tidy" >&2
    exit 1
fi
cd "$root"
if [ $# -gt 0 ]; then
    files=("$@")
else
    mapfile -t files < <(files_of . '*.c' |
        grep -E '^(lib|proto|broker|router|agentd|io|cli)/' || true)
fi
# A file without flags is in no list of sources: it would be neither built nor read.
known=()
forgotten=0
for file in ${files[@]+"${files[@]}"}; do
    if grep -qF "\"$root/$file\"" "$build/compile_commands.json"; then
        known+=("$file")
    else
        echo "tidy: $file is in no CMakeLists.txt"
        forgotten=$((forgotten + 1))
    fi
done

# Its count of hidden warnings goes to stderr and says nothing; what it finds goes to stdout.
check_one() {
    local out
    if ! out="$("$1" --quiet -p "$2" "$3" 2>&1)"; then
        printf '%s\n' "$out" | grep -vE '^[0-9]+ warnings? (generated|treated)' || true
        return 1
    fi
}
export -f check_one
# shellcheck disable=SC2016 # the inner shell expands these
if ! printf '%s\0' "${known[@]}" |
    xargs -0 -n 1 -P "${TIDY_JOBS:-2}" bash -c 'check_one "$0" "$1" "$2"' "$tidy" "$build"; then
    echo "tidy: failed"
    exit 1
fi
[ "$forgotten" -eq 0 ]
echo "tidy: ${#known[@]} files are clean"
