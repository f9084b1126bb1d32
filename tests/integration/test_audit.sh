#!/usr/bin/env bash
# The judge of the other tests judged: each violation planted in a good store is found.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/integration/harness.sh
. "$here/harness.sh"

step "a good store with finished and waiting tickets"
write_plan 3
write_program answer.sh
write_agents norte 2 2 "$work/answer.sh"
serve_start serve --plan "$work/plan.yaml"
agentd_start norte
write_tickets tickets.jsonl 1 40
run submit_file tickets.jsonl
expect_code 0
wait_until 30 all_worked 40
stop norte 15
write_tickets waiting.jsonl 101 10
run submit_file waiting.jsonl
expect_code 0
stop serve 15
audit tickets.jsonl waiting.jsonl

# plant TEXT SQL: the audit of a copy changed so must say TEXT.
plant() {
    local said
    rm -rf "$work/planted"
    mkdir -p "$work/planted/data"
    cp "$work/data/ventanilla.db" "$work/planted/data/"
    cp "$work/keys.txt" "$work/planted/"
    sqlite3 -batch "$work/planted/data/ventanilla.db" "$2"
    said="$(cd "$work/planted" && sqlite3 -batch data/ventanilla.db <"$here/audit.sql")"
    grep -qF "$1" <<<"$said" || fail "'$1' was not found after: $2; the audit said: $said"
    planted=$((planted + 1))
}
planted=0

step "violations"
done_one="(SELECT id FROM vt_ticket WHERE state = 4 LIMIT 1)"
waiting_one="(SELECT id FROM vt_ticket WHERE state = 1 LIMIT 1)"
last_key="(SELECT max(key) FROM vt_event)"
plant "there 0 times" "DELETE FROM vt_payload WHERE ticket = $done_one"
plant "there 2 times" "INSERT INTO vt_payload SELECT 999999, ticket, created_us, 'x', idem_key, digest,
    body FROM vt_payload WHERE ticket = $done_one"
plant "two tickets for one key" "INSERT INTO vt_payload SELECT 999999, ticket, created_us, client,
    idem_key, digest, body FROM vt_payload WHERE ticket = $done_one"
plant "payload without a ticket" "DELETE FROM vt_ticket WHERE id = $waiting_one"
plant "ticket without a payload" "UPDATE vt_ticket SET serial = 999999 WHERE id = $waiting_one"
plant "completed 2 times" "INSERT INTO vt_event SELECT $last_key + 1, previous, ticket, kind, attempt,
    agent, epoch, at_us, detail FROM vt_event WHERE kind = 4 AND ticket = $done_one"
plant "completed 0 times" "UPDATE vt_event SET kind = 10 WHERE kind = 4 AND ticket = $done_one"
plant "completed 1 times" "UPDATE vt_ticket SET state = 1 WHERE id = $done_one"
plant "has 0 answers" "DELETE FROM vt_outbox WHERE key >> 20 =
    (SELECT serial FROM vt_ticket WHERE id = $done_one)"
plant "not done has an answer" "UPDATE vt_ticket SET state = 3 WHERE id = $done_one"
plant "attempts with a gap" "UPDATE vt_event SET attempt = 2 WHERE kind = 3 AND ticket = $done_one"
plant "not the newest" "UPDATE vt_event SET attempt = 7 WHERE kind = 4 AND ticket = $done_one"
plant "differ on the attempt" "UPDATE vt_ticket SET attempt = 5 WHERE id = $done_one"
plant "assigned while not queued" "UPDATE vt_event SET kind = 3 WHERE kind = 4 AND ticket = $done_one"
plant "to nobody" "UPDATE vt_event SET agent = 0 WHERE kind = 3 AND ticket = $done_one"
plant "an event after the end" "INSERT INTO vt_event SELECT $last_key + 1, previous, ticket, 3, attempt,
    agent, epoch, at_us, detail FROM vt_event WHERE kind = 4 AND ticket = $done_one"
plant "epochs that fall" "UPDATE vt_event SET epoch = 1 WHERE kind = 4 AND ticket = $done_one"
plant "time that falls" "UPDATE vt_event SET at_us = 1 WHERE kind = 4 AND ticket = $done_one"
plant "a stream with gaps" "DELETE FROM vt_event WHERE key = $last_key - 3"
plant "broken chain" "UPDATE vt_event SET previous = 0 WHERE kind = 4 AND ticket = $done_one"
plant "does not name its last event" "UPDATE vt_ticket SET event_seq = 1 WHERE id = $done_one"
plant "does not begin with its submit" "UPDATE vt_event SET kind = 2 WHERE kind = 1
    AND ticket = $done_one"
plant "events without a ticket" "DELETE FROM vt_ticket WHERE id = $waiting_one"
plant "fails differ" "UPDATE vt_ticket SET fails = 3 WHERE id = $done_one"
plant "not there" "UPDATE vt_ticket SET part = 77 WHERE id = $waiting_one"
check_sanitizers
say "$planted planted, all found"
