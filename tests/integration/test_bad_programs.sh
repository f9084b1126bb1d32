#!/usr/bin/env bash
# Agents whose program is missing, hangs, floods its output, answers nonsense or dies: their tickets
# go to the others, who are not held up; what nobody can do is dead, not dropped.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/integration/harness.sh
. "$here/harness.sh"

tickets=60

add_agent() {
    cat >>"$work/$1.yaml" <<END
  - name: $2
    skills: {pavimento: ${5:-9}}
    languages: [es]
    capacity: 1
    run: [$3]
    timeout_s: $4
END
}

step "one honest agent and seven bad ones"
write_plan 3
write_program honest.sh
write_program hangs.sh 'trap "" TERM; sleep 30 & wait; sleep 30'
write_program floods.sh 'head -c 5000000 /dev/zero | tr "\0" x'
write_program babbles.sh 'echo "not json"; exit 0'
write_program dies.sh 'kill -KILL $$'
write_program exits.sh 'echo "the database is away" >&2; exit 3'
write_program deaf.sh 'exec 0<&-; exit 0'
write_agents norte 3 2 "$work/honest.sh"
serve_start serve --plan "$work/plan.yaml"
echo "agents:" >"$work/sur.yaml"
add_agent sur missing "$work/there-is-none" 5
add_agent sur hangs "$work/hangs.sh" 1
add_agent sur floods "$work/floods.sh" 5
add_agent sur babbles "$work/babbles.sh" 5
add_agent sur dies "$work/dies.sh" 5
add_agent sur exits "$work/exits.sh" 5
add_agent sur deaf "$work/deaf.sh" 5
agentd_start sur
agentd_start norte
wait_until 20 has_sites 2
descriptors_of() { find "/proc/${pid_of[$1]}/fd" -mindepth 1 2>/dev/null | wc -l; }
children_of() { wc -w <"/proc/${pid_of[$1]}/task/${pid_of[$1]}/children"; }
before="$(descriptors_of sur)"

step "$tickets tickets, long ones among them so that a pipe is not enough"
write_tickets tickets.jsonl 1 "$tickets"
long="$(head -c 60000 /dev/zero | tr '\0' 'a')"
for ((i = 1; i <= 8; i++)); do
    echo "{\"key\":\"long-0000$i\",\"text\":\"$long\"}" >>"$work/tickets.jsonl"
done
tickets=$((tickets + 8))
run submit_file tickets.jsonl
expect_code 0
wait_until 60 all_worked "$tickets"

step "nothing is left open, and no program is left running"
is_clean() { [ "$(descriptors_of "$1")" -le "$2" ] && [ "$(children_of "$1")" = 0 ]; }
wait_until 10 is_clean sur "$before"
is_running sur || fail "the bad agents' site is gone"
is_running norte || fail "the other site is gone"
stop sur 15

step "what only a failing program could do is dead after the maximum of attempts"
cat >"$work/este.yaml" <<END
agents:
  - name: solo
    skills: {alumbrado: 9}
    languages: [es]
    run: [$work/exits.sh]
END
stop norte 15
write_plan 3 2
stop serve 15
serve_start serve --plan "$work/plan.yaml"
agentd_start este
echo '{"key":"hopeless-one","skills":{"alumbrado":9},"text":"nobody manages this"}' >"$work/hopeless.jsonl"
run submit_file hopeless.jsonl
expect_code 0
is_dead() { [ "$(metric ventanilla_dead_total)" = 1 ]; }
wait_until 50 is_dead
stop este 15
stop serve 15

step "the store agrees"
audit tickets.jsonl hopeless.jsonl
[ "$(sql 'SELECT count(*) FROM vt_ticket WHERE state = 4')" = "$tickets" ] || fail "not all were completed"
[ "$(sql 'SELECT count(*) FROM vt_ticket WHERE state = 7 AND fails = 2')" = 1 ] || fail "none is dead"
honest="$(sql "SELECT count(*) FROM vt_ticket AS t JOIN vt_agent AS a ON a.id = t.agent
    WHERE t.state = 4 AND a.name LIKE 'norte-%'")"
[ "$honest" = "$tickets" ] || fail "$honest of $tickets were completed by the honest agents"
for name in missing hangs floods babbles dies exits deaf; do
    losses="$(sql "SELECT count(*) FROM vt_event AS e JOIN vt_agent AS a ON a.id = e.agent
        WHERE e.kind = 5 AND a.name = '$name'")"
    say "given back by $name: $losses"
    [ "$losses" -ge 1 ] || fail "$name never gave a ticket back"
done
check_sanitizers
say "done"
