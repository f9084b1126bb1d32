# shellcheck shell=bash
# Sourced by deploy/quickstart and tests/run: the Debian packages they need, and how they are
# installed. No server is among them, and no service is started, stopped or restarted.
# shellcheck disable=SC2034 # the lists are for those who source this file

# To build and run ventanilla.
packages_build=(gcc libc6-dev cmake ninja-build pkg-config protobuf-c-compiler
    libzmq3-dev libczmq-dev libprotobuf-c-dev libsqlite3-dev libmicrohttpd-dev libjansson-dev
    libyaml-dev libsodium-dev libsmartcols-dev)

# Beyond that, to test it.
packages_test=(git clang llvm libclang-rt-14-dev clang-format clang-tidy libcmocka-dev bats
    shellcheck sqlite3 curl jq procps)

# Beyond that, for the part coverage of the tests.
packages_coverage=(gcovr)

policy_file=/usr/sbin/policy-rc.d
policy_mark='# ventanilla: no service starts during this installation'
policy_saved=

# Runs its arguments as root: directly, or through sudo if we are not.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

package_is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Prints those of its arguments that are not installed.
packages_missing() {
    local package
    for package in "$@"; do
        if ! package_is_installed "$package"; then
            printf '%s\n' "$package"
        fi
    done
}

# Debian asks this file before a package's installation starts or restarts a service; 101 says no.
# What stood there before is put back by services_allow.
services_deny() {
    if [ -e "$policy_file" ] && ! grep -qF "$policy_mark" "$policy_file"; then
        policy_saved="$policy_file.before-ventanilla.$$"
        as_root mv "$policy_file" "$policy_saved"
    fi
    trap services_allow EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    printf '#!/bin/sh\n%s\nexit 101\n' "$policy_mark" | as_root tee "$policy_file" >/dev/null
    as_root chmod 755 "$policy_file"
}

services_allow() {
    as_root rm -f "$policy_file"
    if [ -n "$policy_saved" ]; then
        as_root mv "$policy_saved" "$policy_file"
        policy_saved=
    fi
    trap - EXIT INT TERM HUP
}

# packages_install PACKAGE...: installs what is missing, in one call, and says so first.
packages_install() {
    local missing log
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "This is not Debian or a relative: the tools and libraries below must be there already" >&2
        echo "(names as in Debian 12): $*" >&2
        return 0
    fi
    mapfile -t missing < <(packages_missing "$@")
    if [ ${#missing[@]} -eq 0 ]; then
        echo "Packages: all ${#} that are needed are installed."
        return 0
    fi
    echo "Packages to install (no server among them, no service is started): ${missing[*]}"
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "error: not root, and there is no sudo. As root, run:" >&2
            echo "    apt-get install --no-install-recommends ${missing[*]}" >&2
            return 1
        fi
        echo "Not root: sudo is used for apt-get, and for nothing else."
        if ! as_root true; then
            echo "error: sudo refuses, or wants a password and there is no terminal. As root, run:" >&2
            echo "    apt-get install --no-install-recommends ${missing[*]}" >&2
            return 1
        fi
    fi
    log="$(mktemp)"
    services_deny
    if ! packages_apt "$log" "${missing[@]}"; then
        tail -n 20 "$log" >&2
        services_allow
        rm -f "$log"
        echo "error: apt-get could not install the packages; its last lines are above." >&2
        echo "It needs the package sources of Debian 12 and a way to reach them." >&2
        return 1
    fi
    services_allow
    rm -f "$log"
    echo "Packages: ${#missing[@]} installed."
}

# needrestart, where it is installed, would restart services that use an upgraded library.
packages_apt() {
    local log="$1" apt
    shift
    apt=(env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -q -y
        -o DPkg::Lock::Timeout=120)
    if ! as_root "${apt[@]}" update >"$log" 2>&1 </dev/null; then
        echo "note: apt-get update failed; trying with the package lists at hand" >&2
    fi
    as_root "${apt[@]}" install --no-install-recommends "$@" >>"$log" 2>&1 </dev/null
}
