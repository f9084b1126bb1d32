#!/usr/bin/env bats
# The demo, as a new user types it, on small pieces of the sample so that it ends in seconds.

# shellcheck disable=SC2154 # `ventanilla` is of cli.bash, `stderr` and `lines` are of bats
bats_require_minimum_version 1.5.0
load cli.bash

setup() {
    sample="$BATS_TEST_DIRNAME/../data/avisos-madrid.jsonl"
    tickets="$BATS_TEST_TMPDIR/tickets.jsonl"
    head -n 300 "$sample" >"$tickets"
    export TMPDIR="$BATS_TEST_TMPDIR/tmp"
    mkdir -p "$TMPDIR"
}

teardown() {
    if [ -n "${demo_pid:-}" ]; then
        kill -9 "$demo_pid" 2>/dev/null || :
        wait "$demo_pid" 2>/dev/null || :
    fi
    clean_up
}

folder_is_gone() {
    [ -z "$(ls -A "$TMPDIR")" ]
}

is_serving() {
    grep -q '^sites' "$BATS_TEST_TMPDIR/demo.out"
}

@test "demo replays real tickets, reports, proves it and leaves nothing behind" {
    run -0 --separate-stderr "$ventanilla" demo --tickets "$tickets" --speed 20000
    [[ "$output" == *"Report: 300 tickets of tickets.jsonl"* ]]
    for word in offered answered completed abandoned "service level" ASA AHT occupancy \
        "submit to offer" "agent free" "most waiting" Drawn; do
        [[ "$output" == *"$word"* ]]
    done
    [ "${lines[-1]}" = "acknowledged 300, completed 300, lost 0, doubled 0" ]
    [[ "$stderr" == *"arrived 300"* ]]
    [[ "$stderr" != *$'\033'* ]]
    folder_is_gone
}

@test "demo takes another file, standard input, and few agents" {
    run -0 --separate-stderr "$ventanilla" demo --tickets - --speed 20000 --agents 8 <"$tickets"
    [[ "$output" == *"agents 8."* ]]
    [ "${lines[-1]}" = "acknowledged 300, completed 300, lost 0, doubled 0" ]
}

@test "a matter that the plan does not name goes to the default queue" {
    printf '%s\n' \
        '{"at": "2024-01-15T10:00:00Z", "service": "Materia nueva", "text": ""}' \
        '{"at": "2024-01-15T10:00:01Z", "service": "Materia nueva", "text": "uno"}' >"$tickets"
    run -0 --separate-stderr "$ventanilla" demo --tickets "$tickets" --keep
    [ "${lines[-1]}" = "acknowledged 2, completed 2, lost 0, doubled 0" ]
    run -0 sqlite3 "$TMPDIR"/ventanilla-demo-*/ventanilla.db \
        "SELECT DISTINCT name FROM vt_ticket AS t JOIN vt_queue AS q ON q.id = t.queue"
    [ "$output" = general ]
}

@test "bad lines are reported with file and line, the others are replayed" {
    { echo 'not json'; echo '{"service": "x", "text": ""}'; head -n 20 "$sample"; } >"$tickets"
    run -0 --separate-stderr "$ventanilla" demo --tickets "$tickets" --speed 5000
    [[ "$stderr" == *"$tickets:1: refused: not JSON"* ]]
    [[ "$stderr" == *"$tickets:2: refused: 'at' is missing"* ]]
    [ "${lines[-1]}" = "acknowledged 20, completed 20, lost 0, doubled 0" ]
}

@test "a file that is none of tickets is a usage error" {
    expect 3 "$ventanilla" demo --tickets "$BATS_TEST_TMPDIR/absent.jsonl"
    says "No such file"
    : >"$tickets"
    expect 2 "$ventanilla" demo --tickets "$tickets"
    says "has no ticket"
    gzip -c "$sample" >"$tickets"
    expect 2 "$ventanilla" demo --tickets "$tickets"
    says "zcat"
    expect 2 "$ventanilla" demo --tickets "$TMPDIR"
    says "Is a directory"
    expect 2 "$ventanilla" demo --speed 0
    says "--speed"
    expect 2 "$ventanilla" demo --agents 100000
    says "--agents"
    folder_is_gone
}

@test "demo --serve stays up, takes tickets, and ends cleanly on SIGTERM" {
    "$ventanilla" demo --tickets "$tickets" --speed 40000 --serve \
        >"$BATS_TEST_TMPDIR/demo.out" 2>"$BATS_TEST_TMPDIR/serve.err" 3>&- &
    demo_pid=$!
    wait_for is_serving
    grep -q '^acknowledged 300, completed 300, lost 0, doubled 0$' "$BATS_TEST_TMPDIR/demo.out"
    server="$(awk '$1 == "clients" { print $2 }' "$BATS_TEST_TMPDIR/demo.out")"
    run -0 --separate-stderr "$ventanilla" submit --server "$server" --text hola
    run -0 --separate-stderr "$ventanilla" ticket show --server "$server" "${lines[-1]}"

    kill "$demo_pid"
    wait "$demo_pid"
    demo_pid=
    folder_is_gone
}

@test "demo that is interrupted says what there is, loses nothing and cleans up" {
    "$ventanilla" demo --tickets "$tickets" --speed 500 \
        >"$BATS_TEST_TMPDIR/demo.out" 2>"$BATS_TEST_TMPDIR/serve.err" 3>&- &
    demo_pid=$!
    wait_for grep -q 'arrived' "$BATS_TEST_TMPDIR/serve.err"
    kill "$demo_pid"
    code=0
    wait "$demo_pid" || code=$?
    demo_pid=
    [ "$code" -eq 0 ] || [ "$code" -eq 6 ]
    grep -q 'lost 0, doubled 0$' "$BATS_TEST_TMPDIR/demo.out"
    grep -q 'interrupted' "$BATS_TEST_TMPDIR/serve.err"
    folder_is_gone
}
