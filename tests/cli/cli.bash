# Shared by the tests of the command line: one server on free ports in a folder of its own.
# shellcheck shell=bash

ventanilla="$VENTANILLA_BIN/ventanilla"
agentd="$VENTANILLA_BIN/ventanilla-agentd"

# Starts `ventanilla serve` with further arguments, on `listen_host`; sets server, sites and http.
start_server() {
    local folder="$BATS_TEST_TMPDIR" tries=0 host="${listen_host:-127.0.0.1}"
    "$ventanilla" serve --data "$folder/data" --clients "$host:0" --sites "$host:0" \
        --http "$host:0" "$@" >"$folder/serve.out" 2>"$folder/serve.err" 3>&- &
    server_pid=$!
    until grep -q '^ready' "$folder/serve.out"; do
        tries=$((tries + 1))
        if [ "$tries" -gt 400 ] || ! kill -0 "$server_pid" 2>/dev/null; then
            cat "$folder/serve.out" "$folder/serve.err"
            return 1
        fi
        read -rt 0.05 <> <(:) || :
    done
    export VENTANILLA_SERVER
    VENTANILLA_SERVER="$(awk '$1 == "clients" { print $2 }' "$folder/serve.out")"
    sites="$(awk '$1 == "sites" { print $2 }' "$folder/serve.out")"
    http="$(awk '$1 == "http" { print $2 }' "$folder/serve.out")"
}

stop_server() {
    local code=0
    kill "$server_pid"
    wait "$server_pid" || code=$?
    server_pid=
    return "$code"
}

# Ends what a test started, also when it failed; says what the server said.
clean_up() {
    if [ -n "${agentd_pid:-}" ]; then
        kill -9 "$agentd_pid" 2>/dev/null || :
        wait "$agentd_pid" 2>/dev/null || :
    fi
    if [ -n "${server_pid:-}" ]; then
        kill -9 "$server_pid" 2>/dev/null || :
        wait "$server_pid" 2>/dev/null || :
    fi
    if [ -z "${BATS_TEST_COMPLETED:-}" ] && [ -f "$BATS_TEST_TMPDIR/serve.err" ]; then
        tail -n 20 "$BATS_TEST_TMPDIR/serve.err"
    fi
}

# wait_for COMMAND...: until it succeeds, ten seconds at most.
wait_for() {
    local tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || return 1
        read -rt 0.05 <> <(:) || :
    done
}

# state_is ID STATE
state_is() {
    [ "$("$ventanilla" ticket show "$1" -o json | jq -r .state)" = "$2" ]
}

# expect CODE COMMAND...: its exit code; output is kept in `output` as bats has it.
expect() {
    local code="$1"
    shift
    run "$@"
    if [ "$status" -ne "$code" ]; then
        printf 'exit code %s, not %s: %s\n%s\n' "$status" "$code" "$*" "$output"
        return 1
    fi
}

# says TEXT: it is in the output of the last run.
says() {
    if [[ "$output" != *"$1"* ]]; then
        printf "'%s' is not in:\n%s\n" "$1" "$output"
        return 1
    fi
}

# write_program NAME: an agent's program of this text (standard input); prints its path.
write_program() {
    local path="$BATS_TEST_TMPDIR/$1"
    cat >"$path"
    chmod +x "$path"
    printf '%s\n' "$path"
}
