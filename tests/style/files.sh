# shellcheck shell=bash
# Sourced. Lists the files a check looks at, as paths below the root, sorted:
#   files_of ROOT PATTERN...      patterns as git's: '*.c' matches in every folder
# In a git checkout these are the files git tracks and those not yet added; elsewhere (an unpacked
# archive, a planted tree) all that lie there, build folders excepted.
files_of() {
    local root="$1" pattern
    shift
    if [ -e "$root/.git" ]; then
        git -c 'safe.directory=*' -C "$root" ls-files --cached --others --exclude-standard -- "$@" |
            sort -u | while read -r file; do
            if [ -f "$root/$file" ]; then
                printf '%s\n' "$file"
            fi
        done
        return
    fi
    for pattern in "$@"; do
        (cd "$root" && find . -name 'build*' -prune -o -type f -name "$pattern" -printf '%P\n')
    done | sort -u
}
