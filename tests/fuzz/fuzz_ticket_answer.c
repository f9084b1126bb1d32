/* What an agent's program answers: an outcome within the limits, or a reason to give back. */
#include <stdlib.h>

#include "io/ticket_json.h"
#include "lib/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define ARENA_BYTES (1u * 1024u * 1024u)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static uint8_t *memory;
    struct arena arena;
    struct outcome outcome = {.what = OUTCOME_GIVE_BACK};
    char error[TICKET_JSON_ERROR_BYTES] = "";
    if (memory == NULL) {
        memory = malloc(ARENA_BYTES);
        CHECK(memory != NULL);
    }
    arena_init_used(&arena, memory, ARENA_BYTES);
    struct bytes line = bytes_of(bytes, (uint32_t) (length > UINT16_MAX ? UINT16_MAX : length));
    if (ticket_json_parse_answer(line, &arena, &outcome, error) != VT_OK) {
        CHECK(error[0] != '\0');
        CHECK(outcome.what == OUTCOME_GIVE_BACK);
        return 0;
    }
    CHECK(outcome.what != OUTCOME_GIVE_BACK);
    CHECK(bytes_is_utf8(outcome.text));
    CHECK(bytes_is_utf8(outcome.note));
    return 0;
}
