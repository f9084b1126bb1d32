#!/usr/bin/env bash
# A check that cannot fail proves nothing: each is given a small clean tree, which it must accept,
# and the same tree with one violation planted, which it must reject and name.
#   tests/style/planted.sh [CC]
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
cc="${1:-cc}"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
wrong=0
proved=0

clean_tree() {
    tree="$scratch/tree"
    rm -rf "$tree"
    mkdir -p "$tree"/{lib,proto,broker,router,agentd,io,cli,deploy,tests/scenario}
    cp "$root/.clang-format" "$tree"
    header lib/word.h 'int word_length(const char *word);'
    header proto/message.h '#include "lib/word.h"'
    header proto/codec.h '#include "proto/message.h"'
    header io/link.h '#include "proto/codec.h"'
    header broker/broker.h '#include "proto/message.h"'
    header router/router.h '#include "lib/word.h"'
    printf '#include "lib/word.h"\n\n#include <string.h>\n\n%s\n' \
        'int word_length(const char *word)
{
    return (int) strlen(word);
}' >"$tree/lib/word.c"
    printf '#include "broker/broker.h"\n' >"$tree/broker/broker.c"
    printf '#include <stdio.h>\n\n#include "broker/broker.h"\n#include "io/link.h"\n' \
        >"$tree/broker/main.c"
    printf '#include "broker/broker.h"\n#include "cli/cli.h"\n#include "router/router.h"\n' \
        >"$tree/cli/serve.c"
    header cli/cli.h '#include "io/link.h"'
    # shellcheck disable=SC2016 # meant for the planted script
    printf '#!/bin/sh\necho "$1"\n' >"$tree/deploy/start.sh"
}

# header PATH TEXT: a header with its proper guard
header() {
    local guard
    guard="$(tr 'a-z/.-' 'A-Z___' <<<"$1")"
    printf '#ifndef %s\n#define %s\n\n%s\n\n#endif\n' "$guard" "$guard" "$2" >"$tree/$1"
}

# expect accepted|rejected NAME NAMED COMMAND...: NAMED must appear in what a rejection says
expect() {
    local verdict="$1" name="$2" named="$3" said=accepted output
    shift 3
    output="$("$@" 2>&1)" || said=rejected
    if [ "$said" != "$verdict" ]; then
        echo "WRONG: $name was $said, must be $verdict:"
        printf '%s\n' "$output" | sed 's/^/    /'
        wrong=$((wrong + 1))
    elif [ "$verdict" = rejected ] && ! grep -qF -- "$named" <<<"$output"; then
        echo "WRONG: $name was rejected without naming $named:"
        printf '%s\n' "$output" | sed 's/^/    /'
        wrong=$((wrong + 1))
    else
        proved=$((proved + 1))
    fi
}

layering_rejects() {
    expect rejected "$1" "$2" "$root/tests/layering.sh" "$tree"
    clean_tree
}

check_layering() {
    clean_tree
    expect accepted "a clean tree" "" "$root/tests/layering.sh" "$tree"
    echo '#include "router/router.h"' >>"$tree/broker/broker.c"
    layering_rejects "a core that includes another core" "broker/broker.c:2: must not include router/router.h"
    echo '  #  include "io/link.h"' >>"$tree/broker/broker.c"
    layering_rejects "a core that includes io" "must not include io/link.h"
    echo '#include "proto/codec.h"' >>"$tree/broker/broker.c"
    layering_rejects "a core that includes the codec" "must not include proto/codec.h"
    echo '#include <time.h>' >>"$tree/broker/broker.c"
    layering_rejects "a core that includes time.h" "must not include time.h"
    echo '#include "link.h"' >>"$tree/io/link.c"
    layering_rejects "an include that is not from the root" "must not include link.h"
    echo '#include "proto/message.h"' >>"$tree/lib/word.c"
    layering_rejects "lib that includes proto" "must not include proto/message.h"
    echo '#include "proto/codec.h"' >>"$tree/proto/message.h"
    layering_rejects "the message that includes the codec" "must not include proto/codec.h"
    echo '#include "broker/broker.h"' >>"$tree/io/link.c"
    layering_rejects "io that includes a core" "must not include broker/broker.h"
    echo '#include "router/router.h"' >>"$tree/broker/main.c"
    layering_rejects "a main.c with another core" "must not include router/router.h"
    echo '#include "broker/broker.h"' >>"$tree/cli/status.c"
    layering_rejects "a command that includes a core" "must not include broker/broker.h"
    echo '#include "broker/intake.h"' >>"$tree/cli/serve.c"
    layering_rejects "serve that looks inside a core" "must not include broker/intake.h"
    echo '#include "io/link.h"' >>"$tree/tests/scenario/test_story.c"
    layering_rejects "a scenario that includes io" "must not include io/link.h"
    sed -i 's/IO_LINK_H/LINK_H/' "$tree/io/link.h"
    layering_rejects "a header with another guard" "the include guard must be IO_LINK_H"
    seq 501 | sed 's/.*/\/\/ &/' >"$tree/io/long.c"
    layering_rejects "a file of 501 lines" "io/long.c:501"
}

# archive NAME TEXT: compiles TEXT into $scratch/NAME.a
archive() {
    printf '%s\n' "$2" | "$cc" -std=gnu11 -O1 -fno-builtin -w -x c -c -o "$scratch/$1.o" -
    rm -f "$scratch/$1.a"
    ar rc "$scratch/$1.a" "$scratch/$1.o"
}

purity_rejects() {
    archive impure "$2"
    expect rejected "$1" "$3" "$root/tests/purity.sh" "$scratch/impure.a" -- "$scratch/support.a"
}

check_purity() {
    archive support 'int support(void) { return 1; }'
    archive pure '#include <string.h>
        int support(void); void check_handler(const char *, const char *, int);
        unsigned long pure(char *a, const char *b) { memcpy(a, b, 3); check_handler(a, b, 1);
        return strlen(a) + support(); }'
    expect accepted "a pure archive" "" "$root/tests/purity.sh" "$scratch/pure.a" -- "$scratch/support.a"
    expect rejected "an archive that needs another" support "$root/tests/purity.sh" "$scratch/pure.a"
    purity_rejects "an archive that allocates" \
        '#include <stdlib.h>
        void *f(void) { return malloc(3); }' malloc
    purity_rejects "an archive that reads the clock" \
        '#include <time.h>
        long f(void) { struct timespec t; clock_gettime(0, &t); return t.tv_sec; }' clock_gettime
    purity_rejects "an archive that prints" \
        '#include <stdio.h>
        void f(void) { printf("%d", 1); }' printf
    purity_rejects "an archive that reads errno" \
        '#include <errno.h>
        int f(void) { return errno; }' __errno_location
    purity_rejects "an archive that copies to the heap" \
        '#include <string.h>
        char *f(char *a) { return strdup(a); }' strdup
    expect rejected "a missing archive" "no such archive" "$root/tests/purity.sh" "$scratch/missing.a"
}

check_headers() {
    clean_tree
    expect accepted "headers that compile alone" "" "$here/headers.sh" "$tree" "$cc"
    header io/needy.h 'uint32_t needy_count(void);'
    expect rejected "a header that needs another before it" io/needy.h "$here/headers.sh" "$tree" "$cc"
    rm "$tree/io/needy.h"
    echo 'struct twice { int member; };' >"$tree/io/twice.h"
    expect rejected "a header without a guard" io/twice.h "$here/headers.sh" "$tree" "$cc"
}

check_format() {
    clean_tree
    expect accepted "formatted files" "" "$here/format.sh" "$tree"
    printf 'int badly(void) {return 1;}\n' >"$tree/io/badly.c"
    expect rejected "a file that is not formatted" io/badly.c "$here/format.sh" "$tree"
}

check_scripts() {
    clean_tree
    expect accepted "clean scripts" "" "$here/scripts.sh" "$tree"
    # shellcheck disable=SC2016 # meant for the planted script
    printf '#!/bin/bash\nrm -rf $1/x\n' >"$tree/deploy/quickstart"
    expect rejected "a script with an unquoted variable" SC2086 "$here/scripts.sh" "$tree"
}

check_tidy() {
    local build="$scratch/tidy"
    command -v clang-tidy-14 >/dev/null || command -v clang-tidy >/dev/null || return 0
    clean_tree
    mkdir -p "$build" "$tree/tests/style"
    cp "$root/.clang-tidy" "$tree"
    cp "$root/broker/.clang-tidy" "$tree/broker"
    cp "$here/tidy.sh" "$here/files.sh" "$tree/tests/style"
    printf '#include "broker/broker.h"\n\n#include <stdio.h>\n' >"$tree/broker/prints.c"
    printf 'int io_global = 1;\n' >"$tree/io/global.c"
    for file in lib/word.c broker/prints.c io/global.c; do
        printf '{"directory": "%s", "file": "%s", "command": "clang -std=c11 -I%s -c %s"}\n' \
            "$tree" "$tree/$file" "$tree" "$tree/$file"
    done | sed '$!s/$/,/; 1s/^/[/; $s/$/]/' >"$build/compile_commands.json"
    expect accepted "a clean file" "" "$tree/tests/style/tidy.sh" "$build" lib/word.c
    expect rejected "stdio in a pure folder" portability-restrict-system-includes \
        "$tree/tests/style/tidy.sh" "$build" broker/prints.c
    expect rejected "a mutable global" avoid-non-const-global-variables \
        "$tree/tests/style/tidy.sh" "$build" lib/word.c io/global.c
}

check_layering
check_purity
check_headers
check_format
check_scripts
check_tidy
echo "planted: $proved verdicts right, $wrong wrong"
[ "$wrong" -eq 0 ]
