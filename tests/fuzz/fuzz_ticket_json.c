/* A submitter's line of JSON: any bytes give a ticket within the limits or a refusal with a reason.
 * The first byte chooses whether fields are mapped.
 */
#include <stdlib.h>
#include <string.h>

#include "io/ticket_json.h"
#include "lib/check.h"
#include "proto/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define ARENA_BYTES (4u * 1024u * 1024u)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static uint8_t *memory;
    struct arena arena;
    struct ticket_json_options options = {.mapping_count = 0};
    struct submit submit = {.key = bytes_of_text("12345678")};
    char error[TICKET_JSON_ERROR_BYTES] = "";
    if (length == 0 || length > TICKET_JSON_LINE_BYTES_MAX) {
        return 0;
    }
    if (memory == NULL) {
        memory = malloc(ARENA_BYTES);
        CHECK(memory != NULL);
    }
    arena_init_used(&arena, memory, ARENA_BYTES);
    if (bytes[0] == 'm') {
        CHECK(ticket_json_parse_mapping(bytes_of_text("text=body,queue=service,n=n"), &options) ==
              VT_OK);
    }
    struct bytes line = bytes_of(bytes + 1, (uint32_t) length - 1);
    if (ticket_json_parse(line, &options, &arena, &submit, error) != VT_OK) {
        CHECK(error[0] != '\0');
        return 0;
    }
    CHECK(submit.skill_count <= SKILLS_MAX);
    CHECK(submit.attribute_count <= ATTRIBUTES_MAX);
    CHECK(submit.key.size >= KEY_BYTES_MIN);
    CHECK(submit.key.size <= KEY_BYTES_MAX);
    CHECK(bytes_is_utf8(submit.text));
    CHECK(body_size(submit.attributes, submit.attribute_count, submit.text) <= BODY_BYTES_MAX);
    return 0;
}
