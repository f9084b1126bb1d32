#!/usr/bin/env bash
# kill -9 of serve, of the agent site and of submit at random moments under load, and their restart:
# nothing acknowledged is lost, nothing is completed twice, what was held is resumed or queued again.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/integration/harness.sh
. "$here/harness.sh"

rounds="${ROUNDS:-9}"
per_round=120
victims=(serve norte submit)

start_submit() {
    start submit "$bin/ventanilla" submit --server "$clients" --file "$work/tickets-$1.jsonl" \
        --timeout 30s
}

start_victim() {
    case "$1" in
    serve) serve_start serve --plan "$work/plan.yaml" ;;
    norte) agentd_start norte ;;
    submit) start_submit "$2" ;;
    esac
}

step "serve and an external site (seed $seed)"
write_plan 3
write_program answer.sh "sleep 0.0\$((\$\$ % 9))"
write_agents norte 3 3 "$work/answer.sh"
serve_start serve --plan "$work/plan.yaml"
agentd_start norte

files=()
for ((round = 1; round <= rounds; round++)); do
    victim="${victims[$(((round - 1) % 3))]}"
    [ "$round" -lt 7 ] || victim="${victims[$((RANDOM % 3))]}"
    wait_ms="$(random_ms 50 700)"
    step "round $round: kill -9 of $victim after $wait_ms ms"
    write_tickets "tickets-$round.jsonl" $((round * 1000 + 1)) "$per_round"
    files+=("tickets-$round.jsonl")
    start_submit "$round"
    pause_ms "$wait_ms"
    if is_running "$victim"; then
        kill_hard "$victim"
    fi
    start_victim "$victim" "$round"
    finish submit 30
    [ "$code" -eq 0 ] || fail "submit ended with $code in round $round"
done

step "all $((rounds * per_round)) are worked in the end"
wait_until 60 all_worked $((rounds * per_round))

step "the site is killed with work in hand, and its work ends"
write_tickets last.jsonl 500001 30
run submit_file last.jsonl
expect_code 0
kill_hard norte
kill_hard serve
serve_start serve --plan "$work/plan.yaml"
agentd_start norte
wait_until 40 all_worked $((rounds * per_round + 30))
stop norte 15
stop serve 15

step "the store agrees"
audit "${files[@]}" last.jsonl
[ "$(sql 'SELECT count(*) FROM vt_ticket')" = $((rounds * per_round + 30)) ] || fail "tickets made up"
say "assigned more than once: $(sql 'SELECT count(*) FROM vt_ticket WHERE attempt > 1')"
check_sanitizers
say "done"
