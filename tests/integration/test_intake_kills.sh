#!/usr/bin/env bash
# Intake under way while serve, and then submit, are killed again and again: what was acknowledged is
# there once, and the same file handed in to the end leaves each ticket exactly once.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/integration/harness.sh
. "$here/harness.sh"

tickets="${TICKETS:-40000}"
kills="${KILLS:-6}"

start_submit() {
    start "submit" "$bin/ventanilla" submit --server "$clients" --file "$work/$1" --timeout 30s
}

step "one submit of $tickets tickets, serve killed $kills times meanwhile (seed $seed)"
write_plan 3
serve_start serve --plan "$work/plan.yaml"
write_tickets first.jsonl 1 "$tickets"
start_submit first.jsonl
hits=0
for ((i = 1; i <= kills; i++)); do
    pause_ms "$(random_ms 20 400)"
    if is_running submit; then
        hits=$((hits + 1))
    fi
    kill_hard serve
    serve_start serve --plan "$work/plan.yaml"
done
finish submit 60
[ "$code" -eq 0 ] || fail "submit ended with $code"
say "$hits of $kills kills met the intake; submit says: $(tail -n 1 "$work/submit.out")"
[ "$hits" -ge 1 ] || fail "no kill met the intake"

step "submit killed $kills times"
hits=0
write_tickets second.jsonl 1000001 $((tickets / 2))
for ((i = 1; i <= kills; i++)); do
    start_submit second.jsonl
    pause_ms "$(random_ms 10 120)"
    if is_running submit; then
        hits=$((hits + 1))
    fi
    kill_hard submit
done
run submit_file second.jsonl
expect_code 0
say "$hits of $kills kills met it; the last submit says: $(cat "$work/run.out")"

step "both killed, and what was acknowledged is there after one more start"
kill_hard serve
serve_start serve --plan "$work/plan.yaml"
is_waiting() { [ "$(open_tickets)" = "$1" ]; }
wait_until 20 is_waiting $((tickets + tickets / 2))
stop serve 15
audit first.jsonl second.jsonl
[ "$(sql 'SELECT count(*) FROM vt_ticket WHERE state = 1')" = $((tickets + tickets / 2)) ] ||
    fail "tickets made up, or not waiting"
check_sanitizers
say "done"
