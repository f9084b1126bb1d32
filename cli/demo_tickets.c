#include "cli/demo_tickets.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/cli.h"
#include "io/ticket_json.h"
#include "io/ticket_time.h"
#include "lib/hash.h"
#include "lib/random.h"
#include "lib/text.h"

#define COMPLAINTS_MAX 20u
#define KEY_PREFIX "demo-"
#define MS_PER_MIN INT64_C(60000)
#define MS_PER_DAY INT64_C(86400000)
#define US_PER_MS 1000
#define HANDLE_MEDIAN_MS (60 * MS_PER_MIN)
#define HANDLE_SPREAD 0.8
#define HANDLE_TIMES_MAX 12.0 /* of the median */
#define PATIENCE_MEDIAN_MS (5 * MS_PER_DAY)
#define PATIENCE_SPREAD 0.5
#define SPAN_PER_HANDLE 100 /* a short file gets short handle times, else it never ends */
#define SPAN_PER_PATIENCE 2
#define TWO_PI 6.283185307179586

/* ---- reading ---- */

static const char *take_text(const json_t *object, const char *name, struct bytes *text)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value)) {
        return value == NULL ? "is missing" : "must be a text";
    }
    if (json_string_length(value) > BODY_BYTES_MAX) {
        return "is longer than 64 KiB";
    }
    *text = bytes_of(json_string_value(value), (uint32_t) json_string_length(value));
    return NULL;
}

/* One block for the texts of a ticket: the JSON object does not outlive its line. */
static bool keep(struct demo_ticket *ticket)
{
    struct bytes *const texts[] = {&ticket->at, &ticket->service, &ticket->kind, &ticket->text};
    uint64_t size = 1;
    for (uint32_t i = 0; i < 4; i++) {
        size += texts[i]->size;
    }
    ticket->memory = malloc(size);
    if (ticket->memory == NULL) {
        return false;
    }
    char *next = ticket->memory;
    for (uint32_t i = 0; i < 4; i++) {
        if (texts[i]->size > 0) {
            memcpy(next, texts[i]->data, texts[i]->size);
        }
        *texts[i] = bytes_of(next, texts[i]->size);
        next += texts[i]->size;
    }
    return true;
}

/* NULL: it is a ticket. Else which field and what is wrong with it, in `reason`. */
static const char *
read_object(const json_t *object, struct demo_ticket *ticket, char reason[TICKET_JSON_ERROR_BYTES])
{
    struct {
        const char *name;
        struct bytes *text;
    } fields[] = {{"at", &ticket->at}, {"service", &ticket->service}, {"text", &ticket->text}};
    for (uint32_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *wrong = take_text(object, fields[i].name, fields[i].text);
        if (wrong != NULL) {
            snprintf(reason, TICKET_JSON_ERROR_BYTES, "'%s' %s", fields[i].name, wrong);
            return reason;
        }
    }
    if (json_object_get(object, "kind") != NULL &&
        take_text(object, "kind", &ticket->kind) != NULL) {
        return "'kind' must be a text";
    }
    int64_t unix_us = 0;
    if (ticket_time_parse(ticket->at, &unix_us) != VT_OK) {
        return "'at' must be a time like 2024-01-15T18:44:48Z";
    }
    ticket->at_ms = unix_us / US_PER_MS;

    struct attribute attributes[DEMO_ATTRIBUTES];
    char number[DEMO_NUMBER_BYTES];
    const struct demo_tickets alone = {.list = ticket, .count = 1};
    demo_tickets_describe(&alone, 0, attributes, number);
    struct submit submit = {.key = bytes_of_text("demo-00000000"),
                            .attributes = attributes,
                            .attribute_count = DEMO_ATTRIBUTES,
                            .text = ticket->text,
                            .priority = PRIORITY_ABSENT};
    return ticket_json_check(&submit, reason) == VT_OK ? NULL : reason;
}

static bool grow(struct demo_tickets *tickets)
{
    if (tickets->count < tickets->capacity) {
        return true;
    }
    uint32_t capacity = tickets->capacity == 0 ? 1024 : tickets->capacity * 2;
    struct demo_ticket *list = realloc(tickets->list, capacity * sizeof *list);
    if (list == NULL) {
        return false;
    }
    tickets->list = list;
    tickets->capacity = capacity;
    return true;
}

static void complain(struct demo_tickets *tickets, const char *path, uint32_t line, const char *why)
{
    tickets->refused++;
    if (tickets->refused <= COMPLAINTS_MAX) {
        fprintf(stderr, "%s:%" PRIu32 ": refused: %s\n", path, line, why);
    }
}

static void
read_line(struct demo_tickets *tickets, const char *path, uint32_t line, struct bytes in)
{
    json_error_t error;
    json_t *object = json_loadb((const char *) in.data, in.size, JSON_REJECT_DUPLICATES, &error);
    struct demo_ticket ticket = {.line = line};
    char reason[TICKET_JSON_ERROR_BYTES] = "";
    const char *why = NULL;
    if (object == NULL) {
        snprintf(reason, sizeof reason, "not JSON: %s", error.text);
        why = reason;
    } else if (!json_is_object(object)) {
        why = "not a JSON object";
    } else {
        why = read_object(object, &ticket, reason);
    }
    if (why == NULL && (!keep(&ticket) || !grow(tickets))) {
        free(ticket.memory);
        why = "out of memory";
    }
    if (why != NULL) {
        complain(tickets, path, line, why);
    } else {
        tickets->list[tickets->count++] = ticket;
    }
    json_decref(object);
}

static vt_err read_stream(struct demo_tickets *tickets, const char *path, FILE *stream)
{
    char *buffer = NULL;
    size_t capacity = 0;
    uint32_t line = 0;
    ssize_t size = 0;
    while (tickets->count < DEMO_TICKETS_MAX && (size = getline(&buffer, &capacity, stream)) >= 0) {
        line++;
        if (line == 1 && size >= 2 && (uint8_t) buffer[0] == 0x1f && (uint8_t) buffer[1] == 0x8b) {
            cli_error("%s is compressed; try: zcat %s | ventanilla demo --tickets -", path, path);
            free(buffer);
            return VT_INVALID;
        }
        if (size > (ssize_t) TICKET_JSON_LINE_BYTES_MAX) {
            complain(tickets, path, line, "the line is longer than 512 KiB");
            continue;
        }
        if (strspn(buffer, " \t\r\n") < (size_t) size) {
            read_line(tickets, path, line, bytes_of(buffer, (uint32_t) size));
        }
    }
    free(buffer);
    if (ferror(stream)) {
        cli_error("%s cannot be read: %s", path, strerrordesc_np(errno));
        return VT_INVALID;
    }
    return VT_OK;
}

static int by_arrival(const void *left, const void *right)
{
    const struct demo_ticket *a = left;
    const struct demo_ticket *b = right;
    if (a->at_ms != b->at_ms) {
        return a->at_ms < b->at_ms ? -1 : 1;
    }
    return a->line < b->line ? -1 : a->line > b->line;
}

/* ---- drawing ---- */

/* Box and Muller (1958), then to the power of e. */
static double draw_lognormal(struct random *random, double median, double spread)
{
    double u = 1.0 - random_unit_double(random);
    double v = random_unit_double(random);
    return median * exp(spread * sqrt(-2.0 * log(u)) * cos(TWO_PI * v));
}

static const char *draw_language(struct random *random)
{
    uint64_t roll = random_below(random, 100);
    if (roll < 93) {
        return "es";
    }
    return roll < 98 ? "en" : "fr";
}

static enum channel draw_channel(struct random *random)
{
    uint64_t roll = random_below(random, 100);
    if (roll < 50) {
        return CHANNEL_WEB;
    }
    if (roll < 75) {
        return CHANNEL_PHONE;
    }
    if (roll < 85) {
        return CHANNEL_EMAIL;
    }
    return roll < 93 ? CHANNEL_CHAT : CHANNEL_API;
}

/* One ticket in five has a priority of its own; the others leave it to the plan. */
static uint32_t draw_priority(struct random *random)
{
    uint64_t roll = random_below(random, 100);
    if (roll < 80) {
        return PRIORITY_ABSENT;
    }
    return roll < 95 ? 40 + (uint32_t) random_below(random, 21)
                     : 70 + (uint32_t) random_below(random, 21);
}

static void draw(struct demo_tickets *tickets, uint32_t number)
{
    struct demo_ticket *ticket = &tickets->list[number];
    struct random random;
    random_init(&random, hash_u64(number, DEMO_SEED));
    double median = (double) tickets->handle_median_ms;
    double handle = draw_lognormal(&random, median, HANDLE_SPREAD);
    handle = handle > median * HANDLE_TIMES_MAX ? median * HANDLE_TIMES_MAX : handle;
    ticket->handle_ms = (int64_t) handle + 1;

    int64_t patience_ms = PATIENCE_MEDIAN_MS;
    if (tickets->span_ms / SPAN_PER_PATIENCE < patience_ms) {
        patience_ms = tickets->span_ms / SPAN_PER_PATIENCE;
    }
    ticket->patience_ms =
        (int64_t) draw_lognormal(&random, (double) patience_ms, PATIENCE_SPREAD) + 1;
    ticket->language = draw_language(&random);
    ticket->channel = draw_channel(&random);
    ticket->priority = draw_priority(&random);
}

bool demo_tickets_coin(uint32_t number, uint64_t salt, uint32_t percent)
{
    return hash_pair(number, salt, DEMO_SEED) % 100 < percent;
}

/* ---- the whole ---- */

static void finish(struct demo_tickets *tickets)
{
    qsort(tickets->list, tickets->count, sizeof *tickets->list, by_arrival);
    tickets->first_unix_ms = tickets->list[0].at_ms;
    for (uint32_t i = 0; i < tickets->count; i++) {
        tickets->list[i].at_ms -= tickets->first_unix_ms;
    }
    tickets->span_ms = tickets->list[tickets->count - 1].at_ms;
    tickets->handle_median_ms = HANDLE_MEDIAN_MS;
    if (tickets->span_ms / SPAN_PER_HANDLE < tickets->handle_median_ms) {
        tickets->handle_median_ms = tickets->span_ms / SPAN_PER_HANDLE;
    }
    for (uint32_t i = 0; i < tickets->count; i++) {
        draw(tickets, i);
    }
}

vt_err demo_tickets_load(struct demo_tickets *tickets, const char *path)
{
    *tickets = (struct demo_tickets){0};
    bool is_input = strcmp(path, "-") == 0;
    FILE *stream = is_input ? stdin : fopen(path, "re");
    if (stream == NULL) {
        cli_error("%s: %s", path, strerrordesc_np(errno));
        return errno == ENOENT ? VT_NOT_FOUND : VT_INVALID;
    }
    vt_err err = read_stream(tickets, path, stream);
    if (!is_input) {
        fclose(stream);
    }
    if (tickets->refused > COMPLAINTS_MAX) {
        fprintf(stderr,
                "%s: %" PRIu64 " more lines refused\n",
                path,
                tickets->refused - COMPLAINTS_MAX);
    }
    if (err == VT_OK && tickets->count == 0) {
        cli_error("%s has no ticket; a line is "
                  "{\"at\": TIME, \"service\": TEXT, \"kind\": TEXT, \"text\": TEXT}",
                  path);
        err = VT_INVALID;
    }
    if (err == VT_OK) {
        finish(tickets);
    }
    return err;
}

void demo_tickets_close(struct demo_tickets *tickets)
{
    for (uint32_t i = 0; i < tickets->count; i++) {
        free(tickets->list[i].memory);
    }
    free(tickets->list);
    *tickets = (struct demo_tickets){0};
}

/* ---- on the wire ---- */

void demo_tickets_describe(const struct demo_tickets *tickets,
                           uint32_t number,
                           struct attribute attributes[DEMO_ATTRIBUTES],
                           char text[DEMO_NUMBER_BYTES])
{
    const struct demo_ticket *ticket = &tickets->list[number];
    snprintf(text, DEMO_NUMBER_BYTES, "%" PRIu32, number);
    attributes[0] = (struct attribute){.name = bytes_of_text("at"), .value = ticket->at};
    attributes[1] = (struct attribute){.name = bytes_of_text("kind"), .value = ticket->kind};
    attributes[2] =
        (struct attribute){.name = bytes_of_text("number"), .value = bytes_of_text(text)};
    attributes[3] = (struct attribute){.name = bytes_of_text("service"), .value = ticket->service};
}

void demo_tickets_key(uint32_t number, char key[DEMO_KEY_BYTES])
{
    snprintf(key, DEMO_KEY_BYTES, KEY_PREFIX "%08" PRIu32, number);
}

uint32_t demo_tickets_number(struct bytes key)
{
    uint32_t prefix = (uint32_t) strlen(KEY_PREFIX);
    uint64_t number = 0;
    if (key.size <= prefix || memcmp(key.data, KEY_PREFIX, prefix) != 0 ||
        text_parse_u64(bytes_of(key.data + prefix, key.size - prefix), DEMO_TICKETS_MAX, &number) !=
            VT_OK) {
        return UINT32_MAX;
    }
    return (uint32_t) number;
}
