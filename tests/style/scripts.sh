#!/usr/bin/env bash
# Runs shellcheck over all shell scripts of the tree: tests/style/scripts.sh ROOT
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/style/files.sh
. "$here/files.sh"
root="$(cd "$1" && pwd)"
if ! command -v shellcheck >/dev/null; then
    echo "scripts: shellcheck is missing; it is in the Debian package of that name" >&2
    exit 1
fi
cd "$root"
scripts=()
while read -r file; do
    case "$file" in
    *.sh) scripts+=("$file") ;;
    *)
        if head -c 64 "$file" | head -n 1 | tr -d '\0' | grep -qE '^#!.*[/ ](ba)?sh( |$)'; then
            scripts+=("$file")
        fi
        ;;
    esac
done < <(files_of . '*.sh' 'run' 'quickstart' 'local-cluster' '.ci/*' 'deploy/*' 'tests/*' |
    grep -vE '^tests/(data|fuzz/corpus)/|\.(c|h|md|txt|bats|yaml|jsonl|json|gz)$')
if [ ${#scripts[@]} -eq 0 ]; then
    echo "scripts: none"
    exit 0
fi
shellcheck -x -P "$root" "${scripts[@]}"
echo "scripts: ${#scripts[@]} are clean"
