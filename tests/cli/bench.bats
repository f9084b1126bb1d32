#!/usr/bin/env bats
# ventanilla bench: that it measures, checks and says so; how fast the machine is, is no test.

bats_require_minimum_version 1.5.0

setup() {
    ventanilla="$VENTANILLA_BIN/ventanilla"
    export TMPDIR="$BATS_TEST_TMPDIR"
}

@test "one small call without a mode measures every figure and loses nothing" {
    run --separate-stderr timeout 150 "$ventanilla" bench --tickets 2000 --runs 1 -o json
    [ "$status" -eq 0 ]
    echo "$output" | python3 -c '
import json, sys
found = json.load(sys.stdin)
for key in ("intake_per_s", "lifecycles_per_s", "lifecycles_4x1_per_s", "intake_sync_per_s",
            "bytes_per_waiting", "restart_s", "cpu_s_per_100k", "commits", "acknowledged",
            "completed"):
    assert found[key] > 0, key
for key in ("submit_to_offer_ms", "lifecycle_ms"):
    assert 0 < found[key]["p50"] <= found[key]["p99"] <= found[key]["p999"], key
for key in ("arrive", "free"):
    assert 0 < found["decision_us"][key]["p50"] <= found["decision_us"][key]["p99"], key
assert found["fsyncs"] >= found["commits"], "fsyncs"
assert found["lost"] == 0 and found["doubled"] == 0
assert found["completed"] <= found["acknowledged"]
'
}

@test "its temporary folders are gone afterwards" {
    run "$ventanilla" bench --only intake --tickets 200 --runs 1
    [ "$status" -eq 0 ]
    [ -z "$(ls -d "$TMPDIR"/ventanilla-bench-* 2>/dev/null)" ]
}

@test "--only measures what it names and nothing else" {
    run --separate-stderr "$ventanilla" bench --only intake_sync --tickets 200 --runs 1 -o json
    [ "$status" -eq 0 ]
    [[ "$output" == *intake_sync_per_s* ]]
    [[ "$output" != *lifecycles_per_s* ]]
}

@test "a figure that does not exist is refused with exit 2" {
    run "$ventanilla" bench --only speed
    [ "$status" -eq 2 ]
    [[ "$output" == *"--only speed"* ]]
}

@test "a server that is not there is exit 5 or 7, not a hang" {
    run timeout 60 "$ventanilla" bench --broker 127.0.0.1:1 --sites 127.0.0.1:1 \
        --only lifecycles --tickets 100 --runs 1
    [ "$status" -eq 5 ] || [ "$status" -eq 7 ]
}
