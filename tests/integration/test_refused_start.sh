#!/usr/bin/env bash
# What keeps serve and the site's daemon from starting: each with its exit code and a message that
# says what to do, and without harm to the one that runs.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/integration/harness.sh
. "$here/harness.sh"

# try_serve FOLDER [PORT ADDRESS] ARGUMENT...: at free ports, but for the one that is named.
try_serve() {
    local -A at=([clients]=127.0.0.1:0 [sites]=127.0.0.1:0 [http]=127.0.0.1:0)
    local folder="$1"
    shift
    if [ -n "${1:-}" ] && [ -n "${at[$1]:-}" ]; then
        at[$1]="$2"
        shift 2
    fi
    run ${as_owner[@]+"${as_owner[@]}"} timeout 20 "$bin/ventanilla" serve --data "$folder" \
        --clients "${at[clients]}" --sites "${at[sites]}" --http "${at[http]}" "$@"
}
as_owner=()

step "one that runs"
write_plan 3
write_program answer.sh
write_agents norte 1 1 "$work/answer.sh"
serve_start serve --plan "$work/plan.yaml"
agentd_start norte

step "each of its ports is in use"
for pair in "clients $clients" "sites $sites" "http $http"; do
    read -r port address <<<"$pair"
    try_serve "$work/other" "$port" "$address"
    expect_code 4
    expect_said "in use"
    expect_said "${address##*:}"
done

step "its folder is locked"
try_serve "$work/data"
expect_code 4
expect_said "already used by process ${pid_of[serve]}"
run timeout 20 "$bin/ventanilla-agentd" --broker "$sites" --site sur --agents "$work/norte.yaml" \
    --data "$work/norte.data"
expect_code 4
expect_said "already used by process ${pid_of[norte]}"

step "folders that cannot be used"
touch "$work/a-file"
try_serve "$work/a-file"
expect_code 1
expect_said "a-file"
try_serve "$work/no/such/parent"
[ "$code" -ne 0 ] || fail "a folder without a parent was made"
mkdir "$work/closed"
chmod 555 "$work/closed"
# Root may write anywhere, unless that right is taken from it.
if [ "$(id -u)" -eq 0 ]; then
    as_owner=(setpriv "--bounding-set=-dac_override,-dac_read_search")
fi
try_serve "$work/closed"
as_owner=()
expect_code 1
expect_said "not writable"

step "a store from a newer version, of another program, damaged"
cp -r "$work/other" "$work/newer"
sqlite3 "$work/newer/ventanilla.db" "UPDATE vt_meta SET schema_version = 99"
try_serve "$work/newer"
expect_code 1
expect_said "newer version"
mkdir "$work/foreign" "$work/damaged"
sqlite3 "$work/foreign/ventanilla.db" "CREATE TABLE recipes(name TEXT)"
try_serve "$work/foreign"
expect_code 1
expect_said "another program"
head -c 8192 /dev/urandom >"$work/damaged/ventanilla.db"
try_serve "$work/damaged"
expect_code 1
expect_said "not a store"

step "a plan and an agents file with mistakes, and an address others can reach"
printf 'pools:\n  - nam: x\n' >"$work/wrong-plan.yaml"
try_serve "$work/other" --plan "$work/wrong-plan.yaml"
expect_code 2
expect_said "wrong-plan.yaml:2:[0-9]+: .*nam"
printf 'agents:\n  - name: ana\n    capacity: many\n' >"$work/wrong-agents.yaml"
try_serve "$work/other" --agents "$work/wrong-agents.yaml"
expect_code 2
expect_said "wrong-agents.yaml:3:[0-9]+"
try_serve "$work/other" clients 0.0.0.0:0
expect_code 2
expect_said "insecure"

step "the one that runs was not harmed"
write_tickets tickets.jsonl 1 20
run submit_file tickets.jsonl
expect_code 0
wait_until 20 all_worked 20
stop norte 15
stop serve 15
audit tickets.jsonl
check_sanitizers
say "done"
