#!/usr/bin/env bash
# clang-format has nothing to change: tests/style/format.sh ROOT
# To apply it: clang-format -i FILE
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/style/files.sh
. "$here/files.sh"
root="$(cd "$1" && pwd)"
format="$(command -v clang-format-14 || command -v clang-format || true)"
if [ -z "$format" ]; then
    echo "format: clang-format is missing; it is in the Debian package clang-format" >&2
    exit 1
fi
cd "$root"
files_of . '*.c' '*.h' |
    xargs -r "$format" --dry-run -Werror
