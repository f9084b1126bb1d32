#!/usr/bin/env bash
# Power cuts of an agent site: its journal lies on a disk that loses what was not synced. No program
# was shown a ticket whose entry is not durable, and an outcome in the journal reaches the store. With
# synchronous=OFF the first has to come out broken.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/integration/harness.sh
. "$here/harness.sh"
# shellcheck source=tests/integration/resilience.sh
. "$here/resilience.sh"

cuts="${CUTS:-12}"
per_cut=60
next_ticket=1
files=()

# Tickets (hex) of kind 2 (working) and 3 (outcome) in the journal that a cut has left.
journal_tickets() {
    [ -s "$work/copy/journal.db" ] || return 0
    sqlite3 -batch -noheader "$work/copy/journal.db" \
        "SELECT printf('%016X%016X', a, b) FROM vt_journal WHERE kind IN ($1)" 2>/dev/null | sort -u
}

# live_and_cut SITE: work for it comes in; at a random moment its power goes.
live_and_cut() {
    local file="tickets-$next_ticket.jsonl"
    write_tickets "$file" "$next_ticket" "$per_cut"
    files+=("$file")
    next_ticket=$((next_ticket + per_cut))
    : >"$work/programs.log"
    agentd_start "$1"
    start submit "$bin/ventanilla" submit --server "$clients" --file "$work/$file" --timeout 30s
    wait_until 20 test -s "$work/programs.log"
    pause_ms "$(random_ms 0 250)"
    kill_hard "$1"
    finish submit 30
    [ "$code" -eq 0 ] || fail "submit ended with $code"
    copy_store "$work/$1.data"
    # A program whose daemon died before it said the ticket was shown nothing.
    awk 'NF == 3 { gsub("-", "", $2); print toupper($2), $3 }' "$work/programs.log" |
        sort -u >"$work/shown.txt"
    journal_tickets "2, 3" >"$work/durable.txt"
    journal_tickets 3 >>"$work/outcomes.txt"
    # Shown, and not in the journal: it must have been completed before, which the store will say.
    awk 'FILENAME == ARGV[1] { durable[$1] = 1; next } !($1 in durable)' "$work/durable.txt" "$work/shown.txt" \
        >>"$work/gone.txt"
    sort -u "$work/shown.txt" >>"$work/all_shown.txt"
}

# Whatever an attempt of a ticket was shown for and the journal did not hold, and outcomes it held.
unaccounted() {
    sql "SELECT hex(ticket) || ' ' || attempt FROM vt_event WHERE kind = 4" | sort -u >"$work/done.txt"
    awk 'FILENAME == ARGV[1] { done[$1 " " $2] = 1; next } !(($1 " " $2) in done) { print "shown, not durable:", $0 }' \
        "$work/done.txt" "$work/gone.txt"
    awk 'FILENAME == ARGV[1] { done[$1] = 1; next } !($1 in done) { print "outcome lost:", $1 }' \
        "$work/done.txt" "$work/outcomes.txt"
}

begin_cuts() {
    : >"$work/gone.txt"
    : >"$work/outcomes.txt"
    : >"$work/all_shown.txt"
}

run_cuts() {
    local cut
    begin_cuts
    for ((cut = 1; cut <= $1; cut++)); do
        live_and_cut norte
    done
    agentd_start norte
    wait_until 90 nothing_open
    stop norte 20
    stop serve 20
}
nothing_open() { [ "$(open_tickets)" = 0 ]; }

step "$cuts power cuts of a site (seed $seed)"
write_plan 1
write_program answer.sh "sleep 0.0\$((\$\$ % 9))"
write_agents norte 6 4 "$work/answer.sh"
serve_start serve --plan "$work/plan.yaml"
on_cut_disk
run_cuts "$cuts"
bad="$(unaccounted)"
[ -z "$bad" ] || fail "after the cuts:"$'\n'"$bad"
audit "${files[@]}"
say "$(wc -l <"$work/all_shown.txt") tickets shown, $(wc -l <"$work/outcomes.txt") outcomes in a journal at" \
    "a cut, $(sql 'SELECT count(*) FROM vt_event WHERE kind = 4') completed: none lost"
[ "$(wc -l <"$work/all_shown.txt")" -ge $((cuts * 4)) ] || fail "too few were shown to prove anything"

step "the same with synchronous=OFF has to fail"
on_real_disk
rm -rf "$work/data" "$work/norte.data"
serve_start serve --plan "$work/plan.yaml"
on_cut_disk CUT_SYNC=off
write_program answer.sh "sleep 20" # nothing is completed before the cut
begin_cuts
live_and_cut norte
stop serve 20
bad="$(unaccounted)"
[ -n "$bad" ] || fail "without syncs every entry was durable: the test sees nothing"
say "without syncs: ${bad%%$'\n'*}"
check_sanitizers
say "done"
