#!/usr/bin/env bash
# Restart with open tickets; SIGTERM ends the work in hand and takes nothing new; a second SIGTERM is
# quick; none of it loses a ticket.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/integration/harness.sh
. "$here/harness.sh"

step "tickets without an agent outlive a stop and a kill"
write_plan 5
write_program answer.sh "sleep 0.2"
write_program slow.sh "sleep 2"
serve_start serve --plan "$work/plan.yaml"
write_tickets first.jsonl 1 200
run submit_file first.jsonl
expect_code 0
stop serve 10
serve_start serve --plan "$work/plan.yaml"
write_tickets second.jsonl 1001 200
run submit_file second.jsonl
expect_code 0
kill_hard serve
serve_start serve --plan "$work/plan.yaml"
is_waiting() { [ "$(open_tickets)" = "$1" ]; }
wait_until 20 is_waiting 400

step "and a plan that does not know their queues"
stop serve 10
serve_start serve
pause_ms 300
is_running serve || fail "serve ended"
stop serve 10
serve_start serve --plan "$work/plan.yaml"
wait_until 20 is_waiting 400

step "agents of the same process and of another work them"
write_agents local 4 10 "$work/answer.sh"
write_agents norte 4 10 "$work/answer.sh"
stop serve 10
serve_start serve --plan "$work/plan.yaml" --agents "$work/local.yaml"
agentd_start norte
wait_until 60 all_worked 400

step "SIGTERM to serve with slow work in hand: it ends first"
stop serve 15
write_agents local 2 3 "$work/slow.sh"
serve_start serve --plan "$work/plan.yaml" --agents "$work/local.yaml"
stop norte 15
write_tickets third.jsonl 2001 20
run submit_file third.jsonl
expect_code 0
in_hand() { [ "$(metric ventanilla_tickets_assigned)" -ge "$1" ]; }
wait_until 10 in_hand 6
started="$(tickets_given)"
kill -TERM "${pid_of[serve]}"
# Agents go first, so intake may still be open: what it says then holds, either way.
run "$bin/ventanilla" submit --server "$clients" --key while-draining --text "late" --timeout 1s
late=0
if [ "$code" -eq 0 ] || [ "$code" -eq 8 ]; then
    late=1
    echo '{"key":"while-draining"}' >>"$work/third.jsonl"
fi
curl -sf "http://$http/readyz" >/dev/null && fail "/readyz while draining"
finish serve 15
[ "$code" -eq 0 ] || fail "serve ended with $code"
say "programs before SIGTERM $started, after $(tickets_given)"
[ "$(sql 'SELECT count(*) FROM vt_ticket WHERE state = 3')" = 0 ] || fail "work was left in hand"
[ "$(sql 'SELECT count(*) FROM vt_ticket WHERE state = 4')" -ge "$started" ] ||
    fail "work in hand was not ended"

step "SIGTERM to an external site with slow work in hand"
serve_start serve --plan "$work/plan.yaml"
write_agents norte 2 2 "$work/slow.sh"
agentd_start norte
wait_until 10 in_hand 4
stop norte 15
[ "$(metric ventanilla_tickets_assigned)" = 0 ] || fail "the site left work in hand"

step "a second SIGTERM is quick"
write_program endless.sh "sleep 25"
write_agents norte 1 2 "$work/endless.sh" 60
agentd_start norte
wait_until 10 in_hand 2
kill -TERM "${pid_of[norte]}"
pause_ms 300
is_running norte || fail "the site did not wait for its work"
began="$SECONDS"
kill -TERM "${pid_of[norte]}"
finish norte 5
say "the site ended with $code"
kill -TERM "${pid_of[serve]}"
pause_ms 50
if is_running serve; then
    kill -TERM "${pid_of[serve]}"
fi
finish serve 5
say "serve ended with $code"
[ $((SECONDS - began)) -le 6 ] || fail "it took $((SECONDS - began)) s"

step "and the rest is worked after all that"
write_agents norte 4 10 "$work/answer.sh"
serve_start serve --plan "$work/plan.yaml"
agentd_start norte
wait_until 40 all_worked $((420 + late))
stop norte 15
stop serve 15
audit first.jsonl second.jsonl third.jsonl
[ "$(sql 'SELECT count(*) FROM vt_ticket WHERE state = 4')" = $((420 + late)) ] || fail "not all are done"
check_sanitizers
say "done"
