#!/usr/bin/env bash
# What deploy/packages.sh does to a machine, tried on a pretended one: dpkg-query, apt-get, id and
# sudo are stand-ins that keep a record, and the policy file lies in a scratch folder.
#   tests/style/packages.sh
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
wrong=0
proved=0

# stand_in NAME: the script of that name is read from standard input.
stand_in() {
    { printf '#!/bin/sh\n'; cat; } >"$scratch/bin/$1"
    chmod +x "$scratch/bin/$1"
}

machine() {
    rm -rf "${scratch:?}/bin" "$scratch/record" "$scratch/policy"*
    mkdir -p "$scratch/bin"
    : >"$scratch/record"
    # shellcheck disable=SC2016 # the stand-ins expand these
    {
        echo 'case "$4" in present*) printf installed ;; *) exit 1 ;; esac' | stand_in dpkg-query
        echo 'echo 0' | stand_in id
        {
            echo "echo \"apt-get \$*\" >>$scratch/record"
            echo "[ -e $scratch/policy ] && sh $scratch/policy"
            echo "echo \"policy \$?\" >>$scratch/record"
            echo "case \"\$*\" in *broken*) exit 100 ;; esac"
        } | stand_in apt-get
        {
            echo "echo \"sudo \$*\" >>$scratch/record"
            echo '[ "$1" = -n ] && shift'
            echo 'exec "$@"'
        } | stand_in sudo
    }
}

# Runs packages_install on the machine; what it says goes to $scratch/said.
install_on_machine() {
    PATH="$scratch/bin:$PATH" bash -c '
        set -euo pipefail
        . "$1/deploy/packages.sh"
        policy_file="$2/policy"
        shift 2
        packages_install "$@"' - "$root" "$scratch" "$@" >"$scratch/said" 2>&1 </dev/null
}

# expect SENTENCE COMMAND...: the command must succeed
expect() {
    local sentence="$1"
    shift
    if "$@"; then
        proved=$((proved + 1))
    else
        echo "WRONG: $sentence"
        sed 's/^/    said: /' "$scratch/said"
        sed 's/^/    did: /' "$scratch/record"
        wrong=$((wrong + 1))
    fi
}

refuse() { ! "$@"; }
did() { grep -qE -- "$1" "$scratch/record"; }
said() { grep -qF -- "$1" "$scratch/said"; }
installs() { [ "$(grep -c '^apt-get .* install ' "$scratch/record")" -eq "$1" ]; }

machine
expect "nothing missing is a success" install_on_machine present-a present-b
expect "nothing missing calls nobody" refuse did .

machine
expect "missing packages are installed" install_on_machine present-a absent-b absent-c
expect "it says which, before" said "absent-b absent-c"
expect "there is one call" installs 1
expect "it names the missing only, without recommended ones" \
    did 'install --no-install-recommends absent-b absent-c$'
expect "service starts are denied meanwhile" did '^policy 101$'
expect "never were they allowed" refuse did '^policy 0$'
expect "the denial is gone afterwards" refuse test -e "$scratch/policy"

machine
printf '#!/bin/sh\nexit 0\n# of the machine\n' >"$scratch/policy"
expect "a machine with a policy of its own is fine" install_on_machine absent-b
expect "its policy is overruled meanwhile" did '^policy 101$'
expect "its policy is put back" grep -q 'of the machine' "$scratch/policy"
expect "no copy is left" refuse test -e "$scratch/policy.before-ventanilla."*

machine
printf '#!/bin/sh\nexit 0\n# of the machine\n' >"$scratch/policy"
expect "a failed installation is an error" refuse install_on_machine broken
expect "which is explained" said "could not install"
expect "and the policy is put back all the same" grep -q 'of the machine' "$scratch/policy"

machine
echo 'echo 1000' | stand_in id
expect "an ordinary user installs, too" install_on_machine absent-b
expect "through sudo" did '^sudo -n env .*apt-get .*install'
expect "and is told so" said "sudo is used"

machine
echo 'echo 1000' | stand_in id
echo 'exit 1' | stand_in sudo
expect "without leave to use sudo it is an error" refuse install_on_machine absent-b
expect "that says what to type" said "apt-get install --no-install-recommends absent-b"

echo "packages: $proved statements hold, $wrong do not"
[ "$wrong" -eq 0 ]
