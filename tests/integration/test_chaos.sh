#!/usr/bin/env bash
# Two sites and serve with agents of its own, steadily at work, while one after the other is killed
# or frozen for a moment, in any order and overlapping: in the end each ticket is done once.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/integration/harness.sh
. "$here/harness.sh"

acts="${ACTS:-16}"
per_act=50

start_again() {
    case "$1" in
    serve) serve_start serve --plan "$work/plan.yaml" --agents "$work/local.yaml" ;;
    *) agentd_start "$1" ;;
    esac
}

step "serve, its own agents, two sites (seed $seed)"
write_plan 1
write_program answer.sh "sleep 0.\$((\$\$ % 3))\$((\$\$ % 9))"
write_agents norte 4 4 "$work/answer.sh"
write_agents sur 3 5 "$work/answer.sh"
write_agents local 2 3 "$work/answer.sh"
start_again serve
start_again norte
start_again sur

names=(serve norte sur)
files=()
frozen=""
for ((act = 1; act <= acts; act++)); do
    name="${names[$((RANDOM % 3))]}"
    what="$((RANDOM % 4))"
    write_tickets "tickets-$act.jsonl" $((act * 1000 + 1)) "$per_act"
    files+=("tickets-$act.jsonl")
    start "submit-$act" "$bin/ventanilla" submit --server "$clients" \
        --file "$work/tickets-$act.jsonl" --timeout 30s
    pause_ms "$(random_ms 20 600)"
    if [ -n "$frozen" ] && [ "$what" -le 1 ]; then
        say "act $act: $frozen goes on"
        kill -CONT "${pid_of[$frozen]}"
        frozen=""
    elif [ -z "$frozen" ] && [ "$what" = 2 ]; then
        say "act $act: $name is frozen"
        kill -STOP "${pid_of[$name]}"
        frozen="$name"
    elif [ "$name" != "$frozen" ]; then
        say "act $act: kill -9 of $name"
        kill_hard "$name"
        start_again "$name"
    fi
done
if [ -n "$frozen" ]; then
    kill -CONT "${pid_of[$frozen]}"
fi
for ((act = 1; act <= acts; act++)); do
    finish "submit-$act" 40
    [ "$code" -eq 0 ] || fail "submit $act ended with $code"
done

step "all $((acts * per_act)) are worked in the end"
wait_until 60 all_worked $((acts * per_act))
stop norte 15
stop sur 15
stop serve 15

step "the store agrees"
audit "${files[@]}"
[ "$(sql 'SELECT count(*) FROM vt_ticket WHERE state = 4')" = $((acts * per_act)) ] || fail "not all are done"
say "assigned again: $(sql 'SELECT count(*) FROM vt_ticket WHERE attempt > 1')," \
    "late answers kept as notes: $(sql 'SELECT count(*) FROM vt_event WHERE kind = 10')," \
    "resumed after a restart: $(sort "$work/programs.log" | uniq -d | wc -l)"
say "went back because of: $(sql "SELECT group_concat(d, ', ') FROM
    (SELECT CAST(detail AS TEXT) || ' ' || count(*) AS d FROM vt_event WHERE kind = 5 GROUP BY detail)")"
check_sanitizers
say "done"
