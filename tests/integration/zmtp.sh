# shellcheck shell=bash
# Sourced: a raw TCP peer that speaks just enough ZMTP 3.0 to be a nuisance behind the handshake.

# hostile_open HOST:PORT: the connection is descriptor $peer.
hostile_open() { exec {peer}<>"/dev/tcp/${1%:*}/${1##*:}"; }
hostile_close() { exec {peer}>&-; }
# The other side may hang up at any time; that is its right, and not this script's end.
hostile_send() { { printf '%b' "$1" 1>&"$peer"; } 2>/dev/null || true; }

zeros() { printf '\\x00%.0s' $(seq "$1"); }

# Greeting (64 bytes, mechanism NULL) and READY as a DEALER.
hostile_handshake() {
    hostile_send "\\xff$(zeros 8)\\x7f\\x03\\x00NULL$(zeros 48)"
    hostile_send "\\x04\\x1c\\x05READY\\x0bSocket-Type\\x00\\x00\\x00\\x06DEALER"
}

# A short frame (at most 255 bytes, with escapes). The second argument 1: more frames follow.
hostile_frame() {
    hostile_send "\\x0${2:-0}\\x$(printf '%02x' "$(printf '%b' "$1" | wc -c)")$1"
}

# The head of a frame of 8-byte length, big-endian hex digits without spaces.
hostile_long_head() {
    local digits="$1" bytes=""
    while [ -n "$digits" ]; do
        bytes+="\\x${digits:0:2}"
        digits="${digits:2}"
    done
    hostile_send "\\x0${2:-2}$bytes"
}

hostile_noise() { { head -c "$1" /dev/urandom 1>&"$peer"; } 2>/dev/null || true; }
