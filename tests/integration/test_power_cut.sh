#!/usr/bin/env bash
# Power cuts under load: serve runs on a disk that keeps unsynced writes in memory, so kill -9 loses
# them. What clients and sites were promised is looked for after every cut, in what is on the disk.
# With synchronous=OFF the same must come out broken, or this test proves nothing.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/integration/harness.sh
. "$here/harness.sh"
# shellcheck source=tests/integration/resilience.sh
. "$here/resilience.sh"

cuts="${CUTS:-16}"
fresh_every=8 # cuts; each is judged on the whole store, so a long run wants small ones
unsafe_cuts_max=20

# One life of serve under load, until the power goes.
live_and_cut() {
    serve_start serve --plan "$work/plan.yaml"
    load_start "$1" 30 --sites "$sites" --window 500 --clients 2
    wait_until 20 has_begun "$1"
    pause_ms "$(random_ms 0 800)"
    kill_hard serve
    load_finish "$1" 20
}

sum_of() { cat "$work"/load-*.out | awk -v word="$1" '{ for (i = 1; i < NF; i++) if ($i == word) sum += $(i + 1) }
                                                      END { print sum + 0 }'; }

step "$cuts power cuts (seed $seed)"
bench_plan
on_cut_disk
for ((cut = 1; cut <= cuts; cut++)); do
    if [ $((cut % fresh_every)) = 0 ]; then
        rm -rf "$work/data" "$work"/*.told
    fi
    live_and_cut "load-$cut"
    copy_store "$work/data"
    bad="$(broken_promises "$work/copy")"
    [ -z "$bad" ] || fail "after cut $cut:"$'\n'"$bad"
done
acknowledged="$(sum_of acknowledged)"
completed="$(sum_of completed)"
say "$cuts cuts: $acknowledged acknowledged, $completed told completed, none lost, none twice"
[ "$acknowledged" -ge $((cuts * 20)) ] || fail "too few were acknowledged to prove anything"
[ "$completed" -ge $((cuts * 10)) ] || fail "too few were completed to prove anything"

step "a last start, an orderly end, the whole audit"
serve_start serve --plan "$work/plan.yaml"
stop serve 20
: >"$work/none.jsonl"
audit none.jsonl
bad="$(broken_promises "$work/data")"
[ -z "$bad" ] || fail "in the end:"$'\n'"$bad"

step "the same with synchronous=OFF has to fail"
on_cut_disk CUT_SYNC=off
cp -a "$work/data" "$work/good"
broken=""
for ((cut = 1; cut <= unsafe_cuts_max; cut++)); do
    # From a good store each time: serve would not start on what is damaged.
    rm -rf "$work/data" "$work"/unsafe-*.told
    cp -a "$work/good" "$work/data"
    live_and_cut "unsafe-$cut"
    copy_store "$work/data"
    broken="$(broken_promises "$work/copy")"
    if [ -n "$broken" ]; then
        break
    fi
done
[ -n "$broken" ] || fail "without syncs nothing was lost in $unsafe_cuts_max cuts: the test sees nothing"
say "without syncs, cut $cut: ${broken%%$'\n'*}"
check_sanitizers
say "done"
