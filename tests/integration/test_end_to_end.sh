#!/usr/bin/env bash
# The main job with real processes: tickets go in over TCP, an agent site in a process of its own
# works them with a real program, and the store, read with sqlite3, agrees with what was said.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/integration/harness.sh
. "$here/harness.sh"

tickets=400

step "serve and an external site of 4 agents, each for 3 tickets at a time"
write_plan 3
write_program answer.sh
write_agents norte 4 3 "$work/answer.sh"
serve_start serve --plan "$work/plan.yaml"
agentd_start norte

step "$tickets tickets by submit"
write_tickets tickets.jsonl 1 "$tickets"
run submit_file tickets.jsonl
expect_code 0
expect_said "accepted $tickets"

step "handed in again, nothing is created twice"
run submit_file tickets.jsonl
expect_code 0
expect_said "repeated $tickets"

step "the same new file by two submits at once: each ticket once"
write_tickets twice.jsonl 10001 "$tickets"
start submit-a "$bin/ventanilla" submit --server "$clients" --file "$work/twice.jsonl"
start submit-b "$bin/ventanilla" submit --server "$clients" --file "$work/twice.jsonl"
for name in submit-a submit-b; do
    finish "$name" 30
    [ "$code" -eq 0 ] || fail "$name ended with $code"
done
accepted="$(sed -nE 's/^accepted ([0-9]+),.*/\1/p' "$work/submit-a.out" "$work/submit-b.out" |
    awk '{ sum += $1 } END { print sum }')"
[ "$accepted" = "$tickets" ] || fail "two submits of $tickets tickets had $accepted accepted"
tickets=$((2 * tickets))

step "all are worked"
wait_until 60 all_worked "$tickets"

step "a single ticket by flags, its state and history from outside"
run "$bin/ventanilla" submit --server "$clients" --queue aceras --skill pavimento=3 \
    --key single-ticket --text "an ordinary one"
expect_code 0
id="$(grep -oE '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}' "$work/run.out" | head -n 1)"
[ -n "$id" ] || fail "submit printed no id: $(cat "$work/run.out")"
wait_until 20 all_worked "$((tickets + 1))"
run "$bin/ventanilla" ticket show "$id" --server "$clients"
expect_code 0
expect_said "answer to"
run "$bin/ventanilla" status --server "$clients"
expect_code 0
expect_said "aceras"

step "metrics and probes over HTTP"
curl -sf "http://$http/livez" >/dev/null || fail "/livez"
curl -sf "http://$http/readyz" >/dev/null || fail "/readyz"
curl -sf "http://$http/metrics" >"$work/metrics.txt" || fail "/metrics"
grep -q '^ventanilla_build_info' "$work/metrics.txt" || fail "no build info in /metrics"

step "both end on SIGTERM"
stop norte 15
stop serve 15

step "the store agrees"
echo '{"key":"single-ticket"}' >"$work/single.jsonl"
audit tickets.jsonl twice.jsonl single.jsonl
[ "$(sql 'SELECT count(*) FROM vt_ticket')" = "$((tickets + 1))" ] || fail "not as many as handed in"
[ "$(sql 'SELECT max(attempt) FROM vt_ticket')" = 1 ] || fail "something was assigned twice"
worked="$(sort -u "$work/programs.log" | wc -l)"
started="$(wc -l <"$work/programs.log")"
[ "$worked" = "$((tickets + 1))" ] || fail "$worked tickets were worked"
[ "$started" = "$worked" ] || fail "programs ran $started times for $worked tickets"
wrong="$(sql "SELECT count(*) FROM vt_ticket AS t JOIN vt_outbox AS o ON o.key >> 20 = t.serial
    WHERE instr(replace(CAST(o.body AS TEXT), '-', ''), lower(hex(t.id))) = 0")"
[ "$wrong" = 0 ] || fail "$wrong tickets have another ticket's answer"
check_sanitizers
say "done"
