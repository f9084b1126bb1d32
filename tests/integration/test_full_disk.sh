#!/usr/bin/env bash
# The disk runs full, again and again, at whatever stage it meets: intake says BUSY, work in hand goes
# on as far as it can, nothing is lost, and when there is room again all goes on by itself. Then the
# same for an agent site's journal.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# A small disk has to be mounted, in a namespace that takes it away at the end.
if [ -z "${FULL_DISK_INSIDE:-}" ]; then
    for way in "unshare --mount" "unshare --user --map-root-user --mount"; do
        # shellcheck disable=SC2086
        if $way mount -t tmpfs -o size=1m none /mnt 2>/dev/null; then
            outer="$(mktemp -d "${TMPDIR:-/tmp}/ventanilla-full.XXXXXX")"
            code=0
            # shellcheck disable=SC2086
            TMPDIR="$outer" FULL_DISK_INSIDE=1 $way bash "${BASH_SOURCE[0]}" "$@" || code=$?
            rm -rf "$outer" # the namespace is gone, and its mounts with it
            exit "$code"
        fi
    done
    echo "SKIPPED: a tmpfs cannot be mounted here; run it as root or where user namespaces are allowed"
    exit 77
fi
# shellcheck source=tests/integration/harness.sh
. "$here/harness.sh"
# shellcheck source=tests/integration/resilience.sh
. "$here/resilience.sh"

rounds="${ROUNDS:-2}"

free_bytes() { df --output=avail -B1 "$1" | tail -n 1; }
# fill FOLDER LEFT: a file takes all but so many bytes.
fill() {
    local bytes=$(($(free_bytes "$1") - $2))
    [ "$bytes" -le 0 ] || fallocate -l "$bytes" "$1/filler" 2>/dev/null ||
        head -c "$bytes" /dev/zero >"$1/filler" 2>/dev/null || true
}
make_room() { rm -f "$1/filler"; }

step "serve on a disk of 192 MiB, $rounds rounds (seed $seed)"
bench_plan
mkdir "$work/data"
mount -t tmpfs -o size=192m none "$work/data"
serve_start serve --plan "$work/plan.yaml"
for ((round = 1; round <= rounds; round++)); do
    load_start "load-$round" 7 --sites "$sites" --rate 1500 --clients 2
    wait_until 20 has_begun "load-$round"
    pause_ms "$(random_ms 0 500)"
    fill "$work/data" $((RANDOM % 3 * 32768))
    pause_ms 2500
    is_running serve || fail "serve died on a full disk"
    say "round $round, full: $(free_bytes "$work/data") bytes free," \
        "store failing: $(metric ventanilla_db_failing)"
    make_room "$work/data"
    load_finish "load-$round" 30
    say "round $round: $(tail -n 1 "$work/load-$round.out")"
    [ "$(figure "load-$round" busy)" -gt 0 ] || fail "nobody was told BUSY"
    [ "$(figure "load-$round" untimed)" = 0 ] || fail "BUSY without a time"
done

step "after the last one it takes tickets and works them, without a restart"
load_start load-after 3 --sites "$sites" --window 100
load_finish load-after 20
say "after: $(tail -n 1 "$work/load-after.out")"
[ "$(figure load-after acknowledged)" -gt 0 ] || fail "it takes nothing in any more"
[ "$(figure load-after completed)" -gt 0 ] || fail "it completes nothing any more"
stop serve 20
bad="$(broken_promises "$work/data")"
[ -z "$bad" ] || fail "promises broken:"$'\n'"$bad"
: >"$work/none.jsonl"
audit none.jsonl

umount "$work/data"

step "a site's journal on a disk with hardly any room"
rm -f "$work"/*.told
write_plan 30
write_program answer.sh
write_agents norte 4 4 "$work/answer.sh"
mkdir "$work/norte.data"
mount -t tmpfs -o size=3m none "$work/norte.data"
fill "$work/norte.data" 163840
serve_start serve --plan "$work/plan.yaml"
agentd_start norte
write_tickets first.jsonl 1 200
run submit_file first.jsonl
expect_code 0
pause_ms 4000
is_running norte || fail "the site died on a full disk"
given="$(tickets_given)"
say "given out while the disk was full: $given of 200, free: $(free_bytes "$work/norte.data") bytes"
[ "$given" -lt 200 ] || fail "the disk did not run full"

step "room again: all are worked"
make_room "$work/norte.data"
wait_until 60 all_worked 200
stop norte 20
stop serve 20
audit first.jsonl
[ "$(sql 'SELECT count(*) FROM vt_ticket WHERE state = 4')" = 200 ] || fail "not all are done"
umount "$work/norte.data"
check_sanitizers
say "assigned again: $(sql 'SELECT count(*) FROM vt_ticket WHERE attempt > 1')"
say "done"
