#!/usr/bin/env bash
# A store whose every sync takes 1.5 s for a while: intake is held back by BUSY, memory stays within
# bounds, the pages of HTTP answer, nothing is lost, and it is quick again as soon as the disk is.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/integration/harness.sh
. "$here/harness.sh"
# shellcheck source=tests/integration/resilience.sh
. "$here/resilience.sh"

slow_s="${SLOW_S:-9}"
grown_kb_max=$((300 * 1024 * memory_factor))

step "at its usual speed (seed $seed)"
bench_plan
on_cut_disk CUT_SYNC=full
set_sync_us 0
serve_start serve --plan "$work/plan.yaml"
load_start before 2 --sites "$sites" --window 500
load_finish before 20
say "before: $(tail -n 1 "$work/before.out")"
before_kb="$(memory_kb serve)"

step "$slow_s s with 1.5 s a sync, and more tickets than it can take"
set_sync_us 1500000
load_start slow "$slow_s" --sites "$sites" --rate 6000 --clients 4
most_kb=0
until ! is_running slow || is_gone_or_zombie "${pid_of[slow]}"; do
    now_kb="$(memory_kb serve)"
    most_kb=$((now_kb > most_kb ? now_kb : most_kb))
    curl -sf --max-time 2 "http://$http/livez" >/dev/null || fail "/livez does not answer"
    sleep 0.3
done
load_finish slow 20
say "slow: $(tail -n 1 "$work/slow.out")"
say "memory: $before_kb KiB before, $most_kb KiB at most meanwhile"
[ "$(figure slow busy)" -gt 0 ] || fail "nobody was told BUSY"
[ "$(figure slow untimed)" = 0 ] || fail "BUSY without a time"
[ "$(figure slow acknowledged)" -gt 0 ] || fail "nothing was taken in any more"
[ $((most_kb - before_kb)) -lt "$grown_kb_max" ] || fail "memory is not bounded"

step "quick again"
set_sync_us 0
load_start after 3 --sites "$sites" --window 500
load_finish after 20
say "after: $(tail -n 1 "$work/after.out")"
[ "$(figure after completed)" -gt 0 ] || fail "nothing is completed any more"
[ "$(figure after acknowledged)" -gt $(($(figure before acknowledged) / 4)) ] || fail "it stays slow"
stop serve 30
bad="$(broken_promises "$work/data")"
[ -z "$bad" ] || fail "promises broken:"$'\n'"$bad"
: >"$work/none.jsonl"
audit none.jsonl
check_sanitizers
say "done"
