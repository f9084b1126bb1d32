# shellcheck shell=bash
# Sourced by test_*.sh: starts real programs at free ports in a folder of its own, ends only what it
# started, by pid, and shows every log when the test fails.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
bin="${VENTANILLA_BIN:?is the folder of the built programs}"
work="$(mktemp -d "${TMPDIR:-/tmp}/ventanilla-integration.XXXXXX")"
seed="${SEED:-$((RANDOM * 32768 + RANDOM))}"
RANDOM="$seed"
test_name="$(basename "$0" .sh)"
step="start"
declare -A pid_of=() # name -> pid of what runs
log_lines="${LOG_LINES:-40}"
log_level="${LOG_LEVEL:-info}"

say() { printf '%6s s  %s\n' "$SECONDS" "$*"; }
step() {
    step="$*"
    say "$step"
}

show_logs() {
    local log
    for log in "$work"/*.err "$work"/*.out; do
        if [ -s "$log" ]; then
            echo "--- ${log##*/}: $(wc -l <"$log") lines, the last $log_lines:"
            tail -n "$log_lines" "$log"
        fi
    done
}

# Everything that was started ends here, however the test ended.
cleanup() {
    local code=$? name
    trap - EXIT
    for name in "${!pid_of[@]}"; do
        kill -KILL "${pid_of[$name]}" 2>/dev/null || true
        wait "${pid_of[$name]}" 2>/dev/null || true
    done
    reap_programs
    if [ "$code" -ne 0 ]; then
        echo "FAILED in: $step (seed $seed: SEED=$seed repeats the random choices)"
        show_logs
    fi
    if [ -z "${KEEP:-}" ]; then
        chmod -R u+w "$work"
        rm -rf "$work"
    else
        echo "kept: $work"
    fi
    exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The agents' programs whose daemon was killed: each has said its pid; the name shows it is still it.
reap_programs() {
    local pid
    if [ -s "$work/programs.pid" ]; then
        while read -r pid; do
            if [ -d "/proc/$pid" ] && grep -qaF "$work" "/proc/$pid/cmdline" 2>/dev/null; then
                kill -KILL "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
            fi
        done <"$work/programs.pid"
    fi
}

fail() {
    echo "$test_name: $*" >&2
    exit 1
}

# A sanitizer's report anywhere is a failure, whatever the exit code was.
check_sanitizers() {
    if grep -lE 'ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:|CHECK failed' \
        "$work"/*.err 2>/dev/null; then
        fail "a sanitizer or a check complained, see the logs"
    fi
}

# wait_until SECONDS COMMAND...: what is waited for is looked at again every 20 ms.
wait_until() {
    local deadline=$((SECONDS + $1 + 1))
    shift
    until "$@"; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            fail "waited in vain for: $*"
        fi
        sleep 0.02
    done
}

pause_ms() { sleep "$(($1 / 1000)).$(printf '%03d' $(($1 % 1000)))"; }
random_ms() { echo $(($1 + RANDOM % ($2 - $1 + 1))); }

is_running() { kill -0 "${pid_of[$1]}" 2>/dev/null; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }

# start NAME COMMAND...: in the background, output in NAME.out and NAME.err (kept over restarts).
start() {
    local name="$1"
    shift
    "$@" >>"$work/$name.out" 2>>"$work/$name.err" </dev/null &
    pid_of[$name]=$!
}

# finish NAME SECONDS: waits for its end; its exit code is in $code.
finish() {
    local name="$1" pid="${pid_of[$1]}"
    wait_until "$2" is_gone_or_zombie "$pid"
    code=0
    wait "$pid" || code=$?
    unset "pid_of[$name]"
}

is_gone_or_zombie() {
    local state
    state="$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)" || return 0
    [ -z "$state" ] || [ "$state" = Z ]
}

kill_hard() {
    kill -KILL "${pid_of[$1]}" 2>/dev/null || true
    wait "${pid_of[$1]}" 2>/dev/null || true
    unset "pid_of[$1]"
}

# stop NAME SECONDS: SIGTERM; it must end with exit code 0 by then.
stop() {
    kill -TERM "${pid_of[$1]}"
    finish "$1" "$2"
    [ "$code" -eq 0 ] || fail "$1 ended with exit code $code after SIGTERM"
}

# run COMMAND...: in the foreground; exit code in $code, output in run.out and run.err.
run() {
    code=0
    "$@" >"$work/run.out" 2>"$work/run.err" </dev/null || code=$?
}

expect_code() { [ "$code" -eq "$1" ] || fail "exit code $code where $1 is right: $(cat "$work/run.err")"; }
expect_said() { grep -qiE -- "$1" "$work/run.err" "$work/run.out" || fail "nobody said '$1': $(cat "$work/run.err")"; }

# ---- serve and agentd ----

clients=127.0.0.1:0
sites=127.0.0.1:0
http=127.0.0.1:0
around=() # a command that serve and agentd are started by, such as env NAME=VALUE

is_ready() { grep -q '^ready' "$work/$1.out" || ! is_running "$1"; }
address_in() { sed -nE "s|^$2 +(http://)?([0-9.]+:[0-9]+)$|\2|p" "$work/$1.out" | tail -n 1; }

# serve_start NAME ARGUMENT...: on $work/data; its addresses go to $clients $sites $http, so the
# next start is reached where the first was.
serve_start() {
    local name="$1"
    shift
    : >"$work/$name.out"
    start "$name" "${around[@]}" "$bin/ventanilla" serve --data "$work/data" --clients "$clients" \
        --sites "$sites" --http "$http" --log-level "$log_level" "$@"
    wait_until 20 is_ready "$name"
    is_running "$name" || fail "$name did not start"
    clients="$(address_in "$name" clients)"
    sites="$(address_in "$name" sites)"
    http="$(address_in "$name" http)"
}

agentd_start() {
    local name="$1"
    shift
    start "$name" "${around[@]}" "$bin/ventanilla-agentd" --broker "$sites" --site "$name" \
        --agents "$work/$name.yaml" --data "$work/$name.data" --log-level "$log_level" "$@"
}

# ---- plans, agents, programs, tickets ----

# Short times, so that a test need not wait for what people would.
write_plan() {
    cat >"$work/plan.yaml" <<END
pools:
  - name: atencion
    queues:
      - name: aceras
        grace_s: $1
        offer_ttl_s: 5
        max_fails: ${2:-60}
      - name: arbolado
        grace_s: $1
        offer_ttl_s: 5
        max_fails: ${2:-60}
skills: [pavimento, alumbrado]
default_queue: aceras
END
}

# write_agents SITE COUNT CAPACITY PROGRAM [TIMEOUT_S]
write_agents() {
    local i
    echo "agents:" >"$work/$1.yaml"
    for ((i = 0; i < $2; i++)); do
        cat >>"$work/$1.yaml" <<END
  - name: $1-$i
    skills: {pavimento: 7, alumbrado: 5}
    languages: [es, gl]
    capacity: $3
    run: [$4]
    timeout_s: ${5:-20}
END
    done
}

# write_program NAME [COMMAND]: answers a ticket with its own id after COMMAND, and says which
# (id, attempt) it was given.
write_program() {
    cat >"$work/$1" <<END
#!/bin/sh
echo \$\$ >>"$work/programs.pid"
IFS= read -r line
rest="\${line#*\"id\":\"}"
id="\${rest%%\"*}"
rest="\${line#*\"attempt\":}"
attempt="\${rest%%[,\}]*}"
echo "$1 \$id \$attempt" >>"$work/programs.log"
${2:-:}
printf '{"result":"answer to %s"}\n' "\$id"
END
    chmod +x "$work/$1"
}

# write_tickets FILE FIRST COUNT: keys key-00000001 ...; each fifth asks for a skill or a priority.
write_tickets() {
    awk -v first="$2" -v count="$3" 'BEGIN {
        for (i = first; i < first + count; i++) {
            more = ""
            if (i % 5 == 0) more = ",\"skills\":{\"pavimento\":3}"
            if (i % 5 == 1) more = ",\"priority\":70"
            if (i % 5 == 2) more = ",\"language\":\"es\",\"queue\":\"arbolado\""
            printf "{\"key\":\"key-%08d\",\"text\":\"ticket %d\",\"channel\":\"web\"%s}\n", i, i, more
        }
    }' >"$work/$1"
}

submit_file() { "$bin/ventanilla" submit --server "$clients" --file "$work/$1" "${@:2}"; }

# ---- how far it is ----

# serve keeps its file to itself, so while it runs its own figures are asked for; what they are worth
# is seen afterwards, in the file.
metric() {
    curl -sf --max-time 2 "http://$http/metrics" |
        awk -v name="$1" '{ split($1, part, "{") } part[1] == name { sum += $2; found = 1 }
                          END { print found ? sum : -1 }'
}

open_tickets() {
    curl -sf --max-time 2 "http://$http/metrics" |
        awk '{ split($1, part, "{") }
             part[1] ~ /^ventanilla_(tickets_(waiting|assigned|parked|scheduled)|outbox_untaken)$/ {
                 sum += $2; found++
             }
             END { print found ? sum : -1 }'
}

has_sites() { [ "$(metric ventanilla_sites_up)" = "$1" ]; }

# How many different tickets the agents' programs were given so far.
tickets_given() { awk '{ print $2 }' "$work/programs.log" 2>/dev/null | sort -u | wc -l; }

# all_worked COUNT: so many tickets were given out, and none is open now or a moment later.
all_worked() {
    local i
    [ "$(tickets_given)" -ge "$1" ] || return 1
    for i in 1 2; do
        [ "$(open_tickets)" = 0 ] || return 1
    done
}

# ---- the store at rest, read from outside ----

sql() { sqlite3 -batch -noheader "$work/data/ventanilla.db" "$1"; }

# audit TICKETS_FILE...: after everything has stopped. Keys that were acknowledged, from these files.
audit() {
    local file bad
    : >"$work/keys.txt"
    for file in "$@"; do
        sed -nE 's/^\{"key":"([^"]+)".*/\1/p' "$work/$file" >>"$work/keys.txt"
    done
    bad="$(cd "$work" && sqlite3 -batch data/ventanilla.db <"$here/audit.sql")"
    [ -z "$bad" ] || fail "the store says:"$'\n'"$bad"
}
