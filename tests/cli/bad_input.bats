#!/usr/bin/env bats
# What users get wrong: each has a clear message and a documented exit code, and costs nobody else.

bats_require_minimum_version 1.5.0
load cli.bash

teardown() {
    clean_up
}

@test "a ticket by flags: what is wrong is named" {
    start_server
    expect 3 "$ventanilla" submit --text x --queue nope
    says "queue 'nope': there is no such queue; known: default"
    expect 3 "$ventanilla" submit --text x --queue defualt
    says "did you mean 'default'?"
    expect 2 "$ventanilla" submit --text x --skill a=11
    says "a level is 0 to 10"
    expect 2 "$ventanilla" submit --text x --skill a
    expect 2 "$ventanilla" submit --text x --priority 101
    expect 2 "$ventanilla" submit --text x --channel fax
    expect 2 "$ventanilla" submit --text x --key short
    expect 2 "$ventanilla" submit --text x --not-before tomorrow
    expect 2 "$ventanilla" submit --text x --attribute novalue
    expect 2 "$ventanilla" submit --text "$(printf 'a\xff')"
    says "not valid UTF-8"
    expect 2 "$ventanilla" submit
    says "--text"
    expect 2 "$ventanilla" submit --text x --file y
    expect 2 "$ventanilla" submit --text x --map a=b
    run bash -c "head -c 70000 /dev/zero | tr '\\0' x | '$ventanilla' submit --text -"
    [ "$status" -eq 2 ]
    says "65536 are allowed"
    run bash -c "printf 'a\\0b' | '$ventanilla' submit --text -"
    [ "$status" -eq 2 ]
    says "NUL"
    "$ventanilla" status -o json | jq -e '.queues[0].waiting == 0'
}

@test "a repeated key is the same ticket, with another body a conflict" {
    start_server
    expect 8 "$ventanilla" submit --text x --key 12345678
    id="$(grep -oE '[0-9a-f-]{36}' <<<"$output")"
    expect 0 "$ventanilla" submit --text x --key 12345678
    says "$id"
    says "the same ticket"
    expect 4 "$ventanilla" submit --text y --key 12345678
    says "used before for another ticket"
    expect 8 "$ventanilla" submit --text y --key 12345678 --client other
}

@test "bad lines of a file are named with their line, the others go in" {
    start_server
    {
        echo '{"text":"good"}'
        echo '{"txt":"b"}'
        echo '{"text":"c","skills":{"x":11}}'
        echo 'not json'
        echo '{"text":"d","queue":"nope"}'
        echo '{"text":"e\u0000"}'
        echo '{"text":"f","priority":101}'
        printf '{"text":"\xff"}\n'
        printf '{"text":"%065536d"}\n' 0
        printf '{"text":"%0600000d"}\n' 0
        echo '{"text":"g","key":"12345678"}'
        echo '{"text":"h","key":"12345678"}'
        echo '{"text":"i","language":"not a tag"}'
        echo '[]'
        printf '{"text":"last, without an end of line"}'
    } >"$BATS_TEST_TMPDIR/t.jsonl"
    expect 1 "$ventanilla" submit --file "$BATS_TEST_TMPDIR/t.jsonl"
    says "t.jsonl:2: unknown field 'txt', did you mean 'text'?"
    says "t.jsonl:3: skills.x: level 11 is out of range, 0 to 10 are allowed"
    says "t.jsonl:4: not valid JSON"
    says "t.jsonl:5: queue 'nope': there is no such queue"
    says "t.jsonl:6: text: contains a NUL byte"
    says "t.jsonl:7: priority: 101 is out of range"
    says "t.jsonl:8: not valid JSON: unable to decode byte 0xff"
    says "t.jsonl:9: text: too large"
    says "t.jsonl:10: the line is longer than"
    says "t.jsonl:12: key: this key was used before for another ticket"
    says "t.jsonl:13: language"
    says "t.jsonl:14: the line must be a JSON object"
    says "accepted 3, repeated 0, refused 12"
}

@test "files that are not there or not files" {
    expect 3 "$ventanilla" submit --file /nonexistent/t.jsonl
    says "/nonexistent/t.jsonl"
    expect 2 "$ventanilla" submit --file "$BATS_TEST_TMPDIR"
    says "folder"
    expect 3 "$ventanilla" serve --data "$BATS_TEST_TMPDIR/d" --plan /nonexistent/plan.yaml
    says "/nonexistent/plan.yaml"
    expect 3 "$ventanilla" serve --data "$BATS_TEST_TMPDIR/d" --agents /nonexistent/agents.yaml
    expect 3 "$agentd" --site s --data "$BATS_TEST_TMPDIR/d" --agents /nonexistent/agents.yaml
}

@test "tickets that are not there, and ids that are none" {
    start_server
    expect 3 "$ventanilla" ticket show 018f2b6e-7c1a-7000-8000-000000000000
    says "there is no ticket"
    expect 3 "$ventanilla" ticket cancel 018f2b6e-7c1a-7000-8000-000000000000
    expect 3 "$ventanilla" ticket note 018f2b6e-7c1a-7000-8000-000000000000 --text x
    expect 2 "$ventanilla" ticket show 5
    says "is not a ticket's id"
    expect 2 "$ventanilla" ticket show
}

@test "nobody listens: exit code 5, soon and with a hint" {
    export VENTANILLA_SERVER=127.0.0.1:1
    expect 5 "$ventanilla" submit --text x --timeout 500ms
    says "no answer from 127.0.0.1:1"
    expect 5 "$ventanilla" status --timeout 500ms
    expect 5 "$ventanilla" ticket show 018f2b6e-7c1a-7000-8000-000000000000 --timeout 500ms
    run bash -c "echo '{\"text\":\"x\"}' | '$ventanilla' submit --file - --timeout 500ms"
    [ "$status" -eq 5 ]
    says "run the same command again"
}

@test "a plan with an unknown key or a wrong type: file, line, column, nearest name" {
    cat >"$BATS_TEST_TMPDIR/plan.yaml" <<'YAML'
pools:
  - name: via-publica
    queues:
      - name: aceras
        grase_s: 300
YAML
    expect 2 "$ventanilla" serve --data "$BATS_TEST_TMPDIR/d" --plan "$BATS_TEST_TMPDIR/plan.yaml"
    says "plan.yaml:5:9: unknown key 'grase_s', did you mean 'grace_s'?"
    printf 'pools: 5\n' >"$BATS_TEST_TMPDIR/plan.yaml"
    expect 2 "$ventanilla" serve --data "$BATS_TEST_TMPDIR/d" --plan "$BATS_TEST_TMPDIR/plan.yaml"
    says "plan.yaml:1:8:"
    [ ! -e "$BATS_TEST_TMPDIR/d" ]
}

@test "an agents file with an unknown key or a wrong type, in both programs" {
    printf 'agents:\n  - name: a\n    skils: {}\n    run: [x]\n' >"$BATS_TEST_TMPDIR/agents.yaml"
    for program in "$ventanilla serve" "$agentd --site s"; do
        # shellcheck disable=SC2086 # the command's words
        expect 2 $program --data "$BATS_TEST_TMPDIR/d" --agents "$BATS_TEST_TMPDIR/agents.yaml"
        says "agents.yaml:3:5: unknown key 'skils', did you mean 'skills'?"
    done
    printf 'agents:\n  - name: a\n    capacity: many\n    run: [x]\n' >"$BATS_TEST_TMPDIR/agents.yaml"
    expect 2 "$agentd" --site s --data "$BATS_TEST_TMPDIR/d" --agents "$BATS_TEST_TMPDIR/agents.yaml"
    says "agents.yaml:3:15:"
}

@test "a port in use: exit code 4, for tickets and for HTTP" {
    start_server
    expect 4 "$ventanilla" serve --data "$BATS_TEST_TMPDIR/d" --clients "$VENTANILLA_SERVER" \
        --sites 127.0.0.1:0 --http 127.0.0.1:0
    says "in use"
    expect 4 "$ventanilla" serve --data "$BATS_TEST_TMPDIR/d" --clients 127.0.0.1:0 \
        --sites 127.0.0.1:0 --http "${http#http://}"
    says "in use"
    expect 2 "$ventanilla" serve --data "$BATS_TEST_TMPDIR/d" --clients 192.0.2.1:0 --insecure \
        --sites 127.0.0.1:0 --http 127.0.0.1:0
}

@test "an address that others can reach needs --insecure" {
    expect 2 "$ventanilla" serve --data "$BATS_TEST_TMPDIR/d" --clients 0.0.0.0:0
    says "--insecure"
    expect 2 "$ventanilla" serve --data "$BATS_TEST_TMPDIR/d" --http :0
    says "--insecure"
    start_server --insecure --routers :0
    grep -q '^routers' "$BATS_TEST_TMPDIR/serve.out"
}

@test "a data folder in use, not a folder, damaged or of a newer version" {
    start_server
    ports=(--clients 127.0.0.1:0 --sites 127.0.0.1:0 --http 127.0.0.1:0)
    expect 4 "$ventanilla" serve --data "$BATS_TEST_TMPDIR/data" "${ports[@]}"
    says "$BATS_TEST_TMPDIR/data"
    stop_server
    sqlite3 "$BATS_TEST_TMPDIR/data/ventanilla.db" 'UPDATE vt_meta SET schema_version = 999'
    expect 1 "$ventanilla" serve --data "$BATS_TEST_TMPDIR/data" "${ports[@]}"
    says "newer"
    touch "$BATS_TEST_TMPDIR/file"
    expect 1 "$ventanilla" serve --data "$BATS_TEST_TMPDIR/file" "${ports[@]}"
    mkdir "$BATS_TEST_TMPDIR/damaged"
    head -c 8192 /dev/urandom >"$BATS_TEST_TMPDIR/damaged/ventanilla.db"
    expect 1 "$ventanilla" serve --data "$BATS_TEST_TMPDIR/damaged" "${ports[@]}"
    expect 1 "$ventanilla" serve --data /proc/nothing "${ports[@]}"
}

@test "programs that are missing, hang, flood or die: the ticket goes to another agent" {
    good="$(write_program good.sh <<'PROGRAM'
#!/bin/sh
cat >/dev/null
echo '{"result":"ok"}'
PROGRAM
)"
    cat >"$BATS_TEST_TMPDIR/agents.yaml" <<YAML
agents:
  - {name: missing, run: [/nonexistent/program]}
  - {name: hangs, run: [sleep, "60"], timeout_s: 1}
  - {name: floods, run: ["yes"]}
  - {name: dies, run: [sh, -c, "kill -9 \$\$"]}
  - {name: good, run: [$good]}
YAML
    start_server --agents "$BATS_TEST_TMPDIR/agents.yaml"
    for i in 1 2 3 4 5 6 7 8; do
        echo "{\"text\":\"ticket $i\"}"
    done | "$ventanilla" submit --file -
    wait_for bash -c "'$ventanilla' status -o json | jq -e '.queues[0].completed_total == 8'"
    "$ventanilla" status -o json |
        jq -e '[.agents[] | select(.agent == "good") | .completed_total] == [8]'
    grep -q 'cannot be started: No such file' "$BATS_TEST_TMPDIR/serve.err"
    grep -q 'time limit of 1 s is over' "$BATS_TEST_TMPDIR/serve.err"
    grep -q 'more than 65536 bytes' "$BATS_TEST_TMPDIR/serve.err"
    grep -q 'ended by signal 9' "$BATS_TEST_TMPDIR/serve.err"
}

@test "garbage on a port does not reach others" {
    start_server
    for port in "${VENTANILLA_SERVER##*:}" "${sites##*:}" "${http##*:}"; do
        head -c 100000 /dev/urandom >/dev/tcp/127.0.0.1/"$port" 2>/dev/null || :
    done
    expect 8 "$ventanilla" submit --text "still here"
    expect 0 curl -fsS -o /dev/null "$http/livez"
}

@test "a data folder that is not writable" {
    [ "$(id -u)" -ne 0 ] || skip "root may write everywhere"
    mkdir -m 555 "$BATS_TEST_TMPDIR/readonly"
    expect 1 "$ventanilla" serve --data "$BATS_TEST_TMPDIR/readonly" --clients 127.0.0.1:0 \
        --sites 127.0.0.1:0 --http 127.0.0.1:0
    says "is not writable"
}

@test "agents with queues or skills that the plan does not have are named, and work all the same" {
    printf '%s\n' 'pools: [{name: p, queues: [{name: aceras}]}]' 'skills: [pavimento]' \
        >"$BATS_TEST_TMPDIR/plan.yaml"
    printf '%s\n' 'agents:' \
        '  - {name: ana, run: [x], queues: [aceras, acera], skills: {pavimentos: 3, pavimento: 1}}' \
        >"$BATS_TEST_TMPDIR/agents.yaml"
    start_server --plan "$BATS_TEST_TMPDIR/plan.yaml" --agents "$BATS_TEST_TMPDIR/agents.yaml"
    run cat "$BATS_TEST_TMPDIR/serve.err"
    says "agent 'ana' has the queue 'acera', which the plan does not know, did you mean 'aceras'?"
    says "agent 'ana' has the skill 'pavimentos', which the plan does not know, did you mean 'pavimento'?"
    [ "$(grep -c warning "$BATS_TEST_TMPDIR/serve.err")" -eq 2 ]
}

@test "what cannot be written to standard output is no success" {
    expect 1 bash -c "'$ventanilla' version >/dev/full"
    says "standard output cannot be written"
}

@test "a plan that lost a queue says how many open tickets it hides; they come back with it" {
    printf '%s\n' 'pools: [{name: p, queues: [{name: a}, {name: b}]}]' 'default_queue: a' \
        >"$BATS_TEST_TMPDIR/both.yaml"
    printf '%s\n' 'pools: [{name: p, queues: [{name: a}]}]' >"$BATS_TEST_TMPDIR/one.yaml"
    start_server --plan "$BATS_TEST_TMPDIR/both.yaml"
    expect 8 "$ventanilla" submit --text x --queue a
    expect 8 "$ventanilla" submit --text x --queue b
    stop_server
    start_server --plan "$BATS_TEST_TMPDIR/one.yaml"
    run grep -c "plan.left_out" "$BATS_TEST_TMPDIR/serve.err"
    [ "$output" -eq 1 ]
    run cat "$BATS_TEST_TMPDIR/serve.err"
    says "1 open tickets are of queue 'b', which the plan does not have"
    stop_server
    start_server --plan "$BATS_TEST_TMPDIR/both.yaml"
    run cat "$BATS_TEST_TMPDIR/serve.err"
    [[ "$output" != *left_out* ]]
    wait_for bash -c "'$ventanilla' status -o json | jq -e '[.queues[].waiting] == [1, 1]'"
}
