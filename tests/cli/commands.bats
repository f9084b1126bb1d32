#!/usr/bin/env bats
# Each command as a new user types it.

bats_require_minimum_version 1.5.0
load cli.bash

teardown() {
    clean_up
}

@test "help names every command and the exit codes" {
    expect 0 "$ventanilla" --help
    says "serve"
    says "submit"
    says "8 accepted but nobody can serve it"
    for command in serve submit status version "ticket show" "ticket cancel" "ticket note"; do
        # shellcheck disable=SC2086 # two words are two arguments
        expect 0 "$ventanilla" $command --help
        says "Usage: ventanilla $command"
        says "Exit codes: 0 ok"
    done
    expect 0 "$agentd" --help
    says "--broker"
}

@test "no command, a wrong command and a wrong option are usage errors with a hint" {
    expect 2 "$ventanilla"
    expect 2 "$ventanilla" sumbit
    says "did you mean 'submit'?"
    expect 2 "$ventanilla" serve --data x --clinets 127.0.0.1:0
    says "clients"
    expect 2 "$ventanilla" serve
    says "--data"
    expect 2 "$ventanilla" ticket
    expect 2 "$ventanilla" ticket shwo
    expect 2 "$agentd"
}

@test "version, also as JSON" {
    expect 0 "$ventanilla" version
    says "libzmq"
    expect 0 "$ventanilla" --version
    "$ventanilla" version -o json | jq -e '.version and .libraries.sqlite'
    expect 0 "$agentd" --version
}

@test "serve is ready on free ports, answers over HTTP and stops with 0" {
    start_server
    grep -q '^clients  127.0.0.1:[1-9]' "$BATS_TEST_TMPDIR/serve.out"
    expect 0 curl -fsS "$http/livez"
    says "ok"
    wait_for curl -fsS "$http/readyz"
    expect 0 curl -fsS "$http/readyz?verbose"
    says "[+] process draining"
    expect 0 curl -fsS "$http/metrics"
    says "ventanilla_build_info{"
    expect 0 curl -sS -o /dev/null -w '%{http_code}' "$http/nothing"
    says 404
    expect 0 curl -sS -o /dev/null -w '%{http_code}' -X DELETE "$http/metrics"
    says 405
    stop_server
}

@test "metrics are well formed: one HELP and TYPE a name, counters end in _total, no row twice" {
    start_server
    "$ventanilla" submit --text x || :
    curl -fsS "$http/metrics" | awk '
        /^# HELP / { help[$3]++; next }
        /^# TYPE / { type[$3] = $4; types[$3]++; current = $3; next }
        {
            name = $1; sub(/\{.*/, "", name); base = name
            if (type[current] == "summary") sub(/_(sum|count)$/, "", base)
            if (base != current) { print "out of place: " $0; bad = 1 }
            row = $0; sub(/ [^ ]*$/, "", row)
            if (seen[row]++) { print "twice: " row; bad = 1 }
            if (type[current] == "counter" && name !~ /_total$/) { print "counter: " name; bad = 1 }
            if ($NF !~ /^-?[0-9.e+-]+$/) { print "value: " $0; bad = 1 }
        }
        END {
            for (name in types) if (types[name] != 1 || help[name] != 1) { print "head: " name; bad = 1 }
            exit bad
        }'
}

@test "a ticket nobody can serve is accepted with exit code 8, shown, cancelled" {
    start_server
    expect 8 "$ventanilla" submit --text hello
    says "no agent who is up"
    id="${lines[0]}"
    [[ "${lines[0]}" =~ ^[0-9a-f-]{36}$ ]] || id="${lines[1]}"
    expect 0 "$ventanilla" ticket show "$id"
    says "queued"
    says "submitted"
    expect 0 "$ventanilla" ticket note "$id" --text "more of it"
    expect 0 "$ventanilla" ticket cancel "$id" --reason "no more"
    wait_for state_is "$id" cancelled
    expect 0 "$ventanilla" ticket show "$id"
    says "no more"
    says "message"
    expect 4 "$ventanilla" ticket note "$id" --text "too late"
    says "closed"
}

@test "an agent's program works a ticket in the same process" {
    program="$(write_program answer.sh <<'PROGRAM'
#!/bin/sh
read -r line
case $line in *'"text":"hello"'*'"skills":{"padron":3}'* | *'"skills":{"padron":3}'*'"text":"hello"'*) ;; *) exit 9 ;; esac
echo '{"result":"done","note":"by program"}'
PROGRAM
)"
    cat >"$BATS_TEST_TMPDIR/agents.yaml" <<YAML
agents:
  - name: ana
    skills: {padron: 5}
    languages: [gl]
    run: [$program]
YAML
    start_server --agents "$BATS_TEST_TMPDIR/agents.yaml"
    wait_for curl -fsS -o /dev/null "$http/readyz"
    wait_for bash -c "'$ventanilla' status -o json | jq -e '.agents[0].is_up'"
    expect 0 "$ventanilla" submit --text hello --skill padron=3 --language gl --priority 70 \
        --attribute 'street=Calle A, 3' --channel phone
    id="$output"
    wait_for state_is "$id" "done"
    expect 0 "$ventanilla" ticket show "$id"
    says "assigned"
    says "completed"
    says "ana"
    says "answer     done"
    expect 0 "$ventanilla" status
    says "default"
    says "ana"
    "$ventanilla" status -o json | jq -e '.queues[0].completed_total == 1 and .agents[0].completed_total == 1'
    expect 8 "$ventanilla" submit --text hello --skill padron=6
    stop_server
}

@test "an agent site of its own works tickets over TCP" {
    program="$(write_program answer.sh <<'PROGRAM'
#!/bin/sh
cat >/dev/null
echo '{"result":"done far away"}'
PROGRAM
)"
    printf 'agents:\n  - {name: eva, run: [%s], capacity: 2}\n' "$program" >"$BATS_TEST_TMPDIR/agents.yaml"
    start_server
    "$agentd" --broker "$sites" --site vigo --agents "$BATS_TEST_TMPDIR/agents.yaml" \
        --data "$BATS_TEST_TMPDIR/site" >"$BATS_TEST_TMPDIR/agentd.out" 2>&1 3>&- &
    agentd_pid=$!
    wait_for bash -c "'$ventanilla' status -o json | jq -e '.agents[0].is_up'"
    expect 0 "$ventanilla" submit --text hello
    wait_for state_is "$output" "done"
    kill "$agentd_pid"
    wait "$agentd_pid"
    agentd_pid=
    stop_server
}

@test "a file of tickets goes in once, however often it is submitted" {
    start_server
    for i in 1 2 3 4 5; do
        echo "{\"text\":\"ticket $i\"}"
    done >"$BATS_TEST_TMPDIR/tickets.jsonl"
    expect 0 "$ventanilla" submit --file "$BATS_TEST_TMPDIR/tickets.jsonl"
    says "accepted 5, repeated 0, refused 0"
    expect 0 "$ventanilla" submit --file "$BATS_TEST_TMPDIR/tickets.jsonl"
    says "accepted 0, repeated 5, refused 0"
    expect 0 "$ventanilla" submit --file "$BATS_TEST_TMPDIR/tickets.jsonl" --batch tomorrow
    says "accepted 5, repeated 0, refused 0"
    run bash -c "head -2 '$BATS_TEST_TMPDIR/tickets.jsonl' | '$ventanilla' submit --file -"
    says "accepted 2, repeated 0, refused 0"
    "$ventanilla" status -o json | jq -e '.queues[0].waiting == 12'
}

@test "the mark of an editor before the first line, CRLF and empty lines are no part of a ticket" {
    start_server
    printf '\xef\xbb\xbf{"text":"a"}\r\n\r\n   \n{"text":"b"}' >"$BATS_TEST_TMPDIR/t.jsonl"
    expect 0 "$ventanilla" submit --file "$BATS_TEST_TMPDIR/t.jsonl" --batch b
    says "accepted 2, repeated 0, refused 0"
    printf '{"text":"a"}\n\n\n{"text":"b"}\n' >"$BATS_TEST_TMPDIR/t.jsonl"
    expect 0 "$ventanilla" submit --file "$BATS_TEST_TMPDIR/t.jsonl" --batch b
    says "accepted 0, repeated 2, refused 0"
}

@test "the key of a line is the first half of SHA-256 over batch, number and line" {
    start_server
    printf '{"text":"a"}\n{"text":"b"}\n' >"$BATS_TEST_TMPDIR/t.jsonl"
    "$ventanilla" submit --file "$BATS_TEST_TMPDIR/t.jsonl" --batch b
    stop_server
    want="$(printf 'b\0002\000{"text":"b"}' | sha256sum | cut -c1-32)"
    sqlite3 "$BATS_TEST_TMPDIR/data/ventanilla.db" .dump | grep -qi "$want"
}

@test "fields of other names are mapped, and rules of the plan route by them" {
    cat >"$BATS_TEST_TMPDIR/plan.yaml" <<'YAML'
pools:
  - name: via-publica
    queues: [{name: aceras}, {name: otros}]
intake:
  - when: {service: "Desperfecto en acera"}
    queue: aceras
default_queue: otros
YAML
    start_server --plan "$BATS_TEST_TMPDIR/plan.yaml"
    printf '%s\n' '{"body":"x","what":"Desperfecto en acera","at":5}' '{"body":"y","what":"other"}' |
        "$ventanilla" submit --file - --map text=body,service=what
    "$ventanilla" status -o json |
        jq -e '[.queues[] | select(.waiting == 1) | .queue] | sort == ["aceras", "otros"]'
}

@test "a ticket for later is kept until then" {
    start_server
    expect 8 "$ventanilla" submit --text later --not-before 2099-01-31T08:00:00Z
    id="$(grep -oE '[0-9a-f-]{36}' <<<"$output")"
    expect 0 "$ventanilla" ticket show "$id"
    says "scheduled"
    says "2099-01-31T08:00:00"
}

@test "addresses of IPv6 work for tickets, sites and HTTP" {
    [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6 || skip "this machine has no IPv6"
    listen_host='[::1]'
    start_server
    [[ "$VENTANILLA_SERVER" == "[::1]:"* ]]
    expect 8 "$ventanilla" submit --text hello
    wait_for curl -gfsS -o /dev/null "$http/livez"
}
