#!/usr/bin/env bash
# kill -9 of serve, of the agent site and of submit at random moments under load, and their restart:
# nothing acknowledged is lost, nothing is completed twice, what was held is resumed or queued again.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/integration/harness.sh
. "$here/harness.sh"

rounds="${ROUNDS:-10}"
per_round=300
victims=(serve norte submit all)

start_submit() {
    start submit "$bin/ventanilla" submit --server "$clients" --file "$work/tickets-$1.jsonl" \
        --timeout 30s
}

start_again() {
    case "$1" in
    serve) serve_start serve --plan "$work/plan.yaml" --agents "$work/local.yaml" ;;
    norte) agentd_start norte ;;
    submit) start_submit "$2" ;;
    esac
}

step "serve with two agents of its own and an external site with three (seed $seed)"
write_plan 3
write_program answer.sh "sleep 0.0\$((\$\$ % 9))"
write_agents norte 3 3 "$work/answer.sh"
write_agents local 2 3 "$work/answer.sh"
start_again serve
agentd_start norte

files=()
for ((round = 1; round <= rounds; round++)); do
    victim="${victims[$(((round - 1) % 4))]}"
    [ "$round" -le 8 ] || victim="${victims[$((RANDOM % 4))]}"
    case "$victim" in
    all) names=(submit serve norte) ;;
    *) names=("$victim") ;;
    esac
    # Submitting is soon over, work goes on: the moment is meant to hit either.
    wait_ms="$(random_ms 5 $((RANDOM % 2 ? 90 : 500)))"
    write_tickets "tickets-$round.jsonl" $((round * 1000 + 1)) "$per_round"
    files+=("tickets-$round.jsonl")
    start_submit "$round"
    pause_ms "$wait_ms"
    alive=()
    for name in "${names[@]}"; do
        if is_running "$name"; then
            alive+=("$name")
        fi
        kill_hard "$name"
    done
    step "round $round: kill -9 after $wait_ms ms of ${alive[*]:-nobody}"
    for name in "${names[@]}"; do
        [ "$name" = submit ] || start_again "$name"
    done
    [[ " ${names[*]} " != *" submit "* ]] || start_submit "$round"
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
start_again serve
agentd_start norte
wait_until 40 all_worked $((rounds * per_round + 30))
stop norte 15
stop serve 15

step "the store agrees"
audit "${files[@]}" last.jsonl
[ "$(sql 'SELECT count(*) FROM vt_ticket')" = $((rounds * per_round + 30)) ] || fail "tickets made up"
say "assigned again: $(sql 'SELECT count(*) FROM vt_ticket WHERE attempt > 1')," \
    "resumed after a restart: $(sort "$work/programs.log" | uniq -d | wc -l)," \
    "programs run: $(wc -l <"$work/programs.log")"
check_sanitizers
say "done"
