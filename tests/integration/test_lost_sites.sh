#!/usr/bin/env bash
# A site that dies for good and one that freezes, both with work in hand: beyond the grace another
# site does it; what the frozen one finished too late is kept as a note and changes nothing.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/integration/harness.sh
. "$here/harness.sh"

each=6

in_hand() { [ "$(metric ventanilla_tickets_assigned)" = "$1" ]; }
programs_said() { [ "$(grep -c "^$1" "$work/programs.log" 2>/dev/null)" = "$2" ]; }

step "two sites with $each tickets each in hand, a third one comes"
write_plan 1
write_program endless.sh "sleep 60"
write_program slow.sh "echo began >>$work/programs.log; sleep 1; echo ended >>$work/programs.log"
write_program answer.sh
write_agents norte 2 3 "$work/endless.sh" 120
write_agents oeste 2 3 "$work/slow.sh" 120
write_agents sur 2 2 "$work/answer.sh"
serve_start serve --plan "$work/plan.yaml"
agentd_start norte
agentd_start oeste
wait_until 20 has_sites 2
write_tickets tickets.jsonl 1 $((2 * each))
run submit_file tickets.jsonl
expect_code 0
wait_until 10 in_hand $((2 * each))
# Assigned is not yet in a program's hands: a site frozen before that would never start it.
wait_until 10 programs_said began "$each"
kill -STOP "${pid_of[oeste]}"
kill_hard norte
agentd_start sur

step "the frozen site's programs end, unheard"
wait_until 10 programs_said ended "$each"

step "beyond the grace the third site does the work of both"
wait_until 40 all_worked $((2 * each))

step "the frozen site wakes up and says what it has"
kill -CONT "${pid_of[oeste]}"
wait_until 20 has_sites 2
write_tickets more.jsonl 101 20
run submit_file more.jsonl
expect_code 0
wait_until 30 all_worked $((2 * each + 20))
stop oeste 15
stop sur 15
stop serve 15

step "the store agrees"
audit tickets.jsonl more.jsonl
[ "$(sql 'SELECT count(*) FROM vt_ticket WHERE state = 4')" = $((2 * each + 20)) ] || fail "not all are done"
again="$(sql "SELECT count(*) FROM vt_ticket AS t JOIN vt_agent AS a ON a.id = t.agent
    WHERE t.attempt = 2 AND t.fails = 1 AND a.name LIKE 'sur-%'")"
[ "$again" = $((2 * each)) ] || fail "$again tickets were done by the third site at the second attempt"
losses="$(sql "SELECT group_concat(DISTINCT CAST(detail AS TEXT)) FROM vt_event WHERE kind = 5")"
[ "$losses" = grace_over ] || fail "tickets went back because of: $losses"
notes="$(sql 'SELECT count(*) FROM vt_event WHERE kind = 10')"
[ "$notes" = "$each" ] || fail "$notes late answers were kept as notes"
check_sanitizers
say "done"
