#!/usr/bin/env bash
# Garbage, oversized and half frames from raw TCP on the clients' and the sites' port while real work
# goes on: nobody else notices.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/integration/harness.sh
. "$here/harness.sh"
# shellcheck source=tests/integration/zmtp.sh
. "$here/zmtp.sh"

tickets=300

# One pass over everything unpleasant, against one port.
annoy() {
    local to="$1" i held=()
    # Not the protocol at all; a browser; a connection that says nothing and one that hangs up.
    hostile_open "$to" && hostile_noise 4096 && hostile_close
    hostile_open "$to" && hostile_send 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' && hostile_close
    hostile_open "$to" && hostile_close
    hostile_open "$to" && held+=("$peer")
    # Half a greeting, half a handshake.
    hostile_open "$to" && hostile_send '\xff\x00\x00' && held+=("$peer")
    hostile_open "$to" && hostile_send "\\xff$(zeros 8)\\x7f\\x03\\x00NULL$(zeros 48)\\x04\\x19\\x05REA" &&
        held+=("$peer")
    # Behind a good handshake: noise; empty, one-frame and many-frame messages; a header of garbage.
    hostile_open "$to" && hostile_handshake && hostile_noise 65536 && hostile_close
    hostile_open "$to" && hostile_handshake
    for ((i = 0; i < 50; i++)); do
        hostile_frame ""
        hostile_frame "one frame alone"
        hostile_frame "a" 1 && hostile_frame "b" 1 && hostile_frame "c" 1 && hostile_frame "d"
        hostile_frame 'zzzzzzzzzzzzzzzz' 1 && hostile_frame 'not a body'
        hostile_frame '\x08\x01\x10\x01' 1 && hostile_frame '\x0a\x7f'
    done
    hostile_close
    # Oversized: heads that promise 4 GiB, 8 EiB and a little too much, with and without the bytes.
    hostile_open "$to" && hostile_handshake && hostile_long_head 00000000ffffffff && held+=("$peer")
    hostile_open "$to" && hostile_handshake && hostile_long_head 7fffffffffffffff && hostile_close
    hostile_open "$to" && hostile_handshake && hostile_long_head 0000000000300000 &&
        hostile_noise 3145728 && hostile_close
    # Half a frame, and a message whose second frame never comes.
    hostile_open "$to" && hostile_handshake && hostile_long_head 0000000000001000 &&
        hostile_noise 100 && held+=("$peer")
    hostile_open "$to" && hostile_handshake && hostile_frame "header" 1 && held+=("$peer")
    for peer in "${held[@]}"; do
        hostile_close
    done
}

step "serve, an external site, a submit under way"
trap '' PIPE
write_plan 3
write_program answer.sh
write_agents norte 3 2 "$work/answer.sh"
serve_start serve --plan "$work/plan.yaml"
agentd_start norte
write_tickets tickets.jsonl 1 "$tickets"
start submit "$bin/ventanilla" submit --server "$clients" --file "$work/tickets.jsonl" --timeout 20s

for ((round = 1; round <= 3; round++)); do
    step "round $round of nuisance on the clients' port"
    annoy "$clients"
    step "round $round of nuisance on the sites' port"
    annoy "$sites"
    step "round $round of nuisance on the HTTP port"
    hostile_open "$http" && hostile_noise 4096 && hostile_close
    hostile_open "$http" && hostile_send 'GET /livez HTTP/1.1\r\nX: ' && hostile_noise 40000 && hostile_close
    is_running serve || fail "serve is gone"
    is_running norte || fail "the site is gone"
done

step "the nuisance came through, and real work was not disturbed"
malformed="$(metric ventanilla_link_malformed_total)"
say "malformed messages counted: $malformed"
[ "$malformed" -ge 100 ] || fail "the raw peers did not get behind the handshake"
finish submit 30
[ "$code" -eq 0 ] || fail "submit ended with $code"
wait_until 40 all_worked "$tickets"
run "$bin/ventanilla" status --server "$clients"
expect_code 0
curl -sf "http://$http/readyz" >/dev/null || fail "/readyz"
stop norte 15
stop serve 15
audit tickets.jsonl
[ "$(sql 'SELECT max(attempt) FROM vt_ticket')" = 1 ] || fail "something was assigned twice"
[ "$(sql 'SELECT count(*) FROM vt_ticket')" = "$tickets" ] || fail "garbage became a ticket"
check_sanitizers
say "done"
