#!/usr/bin/env bash
# 2,000 connections that say nothing, some that send a byte a second and clients that send without
# ever reading an answer, under the usual limit of 1,024 descriptors: others are served meanwhile.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/integration/harness.sh
. "$here/harness.sh"
# shellcheck source=tests/integration/resilience.sh
. "$here/resilience.sh"

silent="${SILENT:-2000}"
grown_kb_max=$((400 * 1024 * memory_factor))
ulimit -Sn 1024

step "serve, and a load as it is without them (seed $seed)"
bench_plan
serve_start serve --plan "$work/plan.yaml"
load_start before 2 --sites "$sites" --window 100
load_finish before 20
say "before: $(tail -n 1 "$work/before.out")"
before_kb="$(memory_kb serve)"

step "$silent silent ones at each port, 20 slow ones, 4 deaf ones"
is_holding() { grep -q held "$work/$1.out"; }
start quiet_clients "$tools/quiet_peers" "${clients%:*}" "${clients##*:}" 8 "$silent" 20
start quiet_sites "$tools/quiet_peers" "${sites%:*}" "${sites##*:}" 8 200 20
start quiet_http "$tools/quiet_peers" "${http%:*}" "${http##*:}" 8 100 20
load_start deaf 6 --deaf 1 --rate 1000 --clients 4
for name in quiet_clients quiet_sites quiet_http; do
    wait_until 5 is_holding "$name"
    say "$name: $(head -n 1 "$work/$name.out")"
done
say "serve has $(find "/proc/${pid_of[serve]}/fd" -mindepth 1 | wc -l) descriptors open"
load_start during 4 --sites "$sites" --window 100
load_finish during 20
say "during: $(tail -n 1 "$work/during.out")"
during_kb="$(memory_kb serve)"
run timeout 10 "$bin/ventanilla" status --server "$clients"
expect_code 0
load_finish deaf 20
say "memory: $before_kb KiB before, $during_kb KiB with them"
[ "$(figure during acknowledged)" -gt 100 ] || fail "others are not served"
[ "$(figure during completed)" -gt 100 ] || fail "others' sites are not served"
[ "$(figure during silence_ms)" -lt 5000 ] || fail "others wait too long"
[ $((during_kb - before_kb)) -lt "$grown_kb_max" ] || fail "memory is not bounded"
for name in quiet_clients quiet_sites quiet_http; do
    finish "$name" 30
    say "$name: $(tail -n 1 "$work/$name.out")"
done

step "when they are gone all is as before"
curl -sf --max-time 5 "http://$http/readyz" >/dev/null || fail "/readyz"
load_start after 2 --sites "$sites" --window 100
load_finish after 20
say "after: $(tail -n 1 "$work/after.out")"
[ "$(figure after completed)" -gt 100 ] || fail "nothing is completed any more"
stop serve 30
: >"$work/none.jsonl"
audit none.jsonl
bad="$(broken_promises "$work/data")"
[ -z "$bad" ] || fail "promises broken:"$'\n'"$bad"
check_sanitizers
say "done"
