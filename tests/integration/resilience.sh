# shellcheck shell=bash disable=SC2034,SC2154
# Sourced behind harness.sh: a load that writes down every promise it was given, and the audit of the
# promises against a store. The tools lie beside the built programs.
tools="$bin/../tests/tools"

# The thread sanitizer keeps four bytes of its own for each of the program's, and its stacks.
memory_factor=1
if grep -qa __tsan_init "$bin/ventanilla"; then
    memory_factor=5
fi

# Power that may be cut, syncs that take time: see tests/tools/cut_vfs.c. More of NAME=VALUE may follow.
on_cut_disk() { around=(env "LD_PRELOAD=$tools/cut_vfs.so" "CUT_CONTROL=$work/sync_us" "$@"); }
on_real_disk() { around=(); }
set_sync_us() {
    echo "$1" >"$work/sync_us.new"
    mv "$work/sync_us.new" "$work/sync_us"
}

bench_plan() { "$bin/ventanilla" bench --print-plan >"$work/plan.yaml"; }

# load_start NAME SECONDS ARGUMENT...; its promises go to NAME.told, its one line to NAME.out
load_start() {
    : >"$work/$1.out"
    start "$1" "$tools/resilience_load" "$clients" "$work/$1.told" "${@:2}"
}

has_begun() { grep -q begun "$work/$1.out"; } # something was acknowledged

load_finish() {
    finish "$1" "$2"
    [ "$code" -eq 0 ] || fail "load $1 ended with $code"
}

# figure NAME WORD: the number behind WORD in the line of that load.
figure() {
    awk -v word="$2" '{ for (i = 1; i < NF; i++) if ($i == word) value = $(i + 1) }
                      END { print value + 0 }' "$work/$1.out"
}

# broken_promises FOLDER: what any *.told says and the store at rest in FOLDER does not have.
broken_promises() {
    cat "$work"/*.told >"$work/told.txt"
    awk '$1 == "acknowledged" { print $2 "|" $3 }' "$work/told.txt" >"$work/acknowledged.txt"
    awk '$1 == "completed" { print $2 }' "$work/told.txt" >"$work/completed.txt"
    (cd "$work" && sqlite3 -batch "$1/ventanilla.db" <"$here/promises.sql" 2>&1) || echo "sqlite3 failed"
}

# A copy of a store whose process is dead, so that looking at it changes nothing.
copy_store() {
    rm -rf "$work/copy"
    mkdir "$work/copy"
    cp "$1"/*.db* "$work/copy/"
}

memory_kb() { awk '/^Pss:/ { print $2 }' "/proc/${pid_of[$1]}/smaps_rollup"; }
