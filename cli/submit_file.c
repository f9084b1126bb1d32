#include "cli/submit_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/refusal.h"
#include "io/process.h"
#include "lib/arena.h"
#include "lib/check.h"

#define ARENA_BYTES (UINT64_C(4) * 1024u * 1024u)
#define BAR_CELLS 30u
#define BAR_MS 100
#define PERCENT 100u

/* One line and its end; longer ones are passed over, and refused. */
#define LINE_BYTES (TICKET_JSON_LINE_BYTES_MAX + 2u)

struct sender {
    const struct submit_file_options *options;
    const char *batch;
    struct client *client;
    FILE *file;
    struct arena arena;
    char *line;
    uint64_t number; /* of the line, from 1 */
    uint64_t accepted;
    uint64_t repeated;
    uint64_t refused;
    uint64_t read_bytes;
    uint64_t file_bytes; /* 0: not known */
    bool has_bar;
    int64_t bar_ms;
    vt_err error;
};

void submit_file_key(const char *batch,
                     uint64_t number,
                     struct bytes line,
                     uint8_t key[SUBMIT_FILE_KEY_BYTES])
{
    crypto_hash_sha256_state state;
    uint8_t digest[crypto_hash_sha256_BYTES];
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%" PRIu64, number);
    CHECK(size > 0);
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *) batch, strlen(batch) + 1);
    crypto_hash_sha256_update(&state, (const uint8_t *) digits, (size_t) size + 1);
    crypto_hash_sha256_update(&state, line.data, line.size);
    crypto_hash_sha256_final(&state, digest);
    memcpy(key, digest, SUBMIT_FILE_KEY_BYTES);
}

/* ---- progress ---- */

static void clear_bar(const struct sender *sender)
{
    if (sender->has_bar && sender->bar_ms > 0) {
        fputs("\r\033[K", stderr);
    }
}

static void draw_bar(struct sender *sender)
{
    int64_t now_ms = process_now_ms();
    if (!sender->has_bar || now_ms - sender->bar_ms < BAR_MS) {
        return;
    }
    sender->bar_ms = now_ms;
    uint64_t answered = sender->accepted + sender->repeated + sender->refused;
    if (sender->file_bytes == 0) {
        fprintf(stderr, "\r\033[K%" PRIu64 " tickets", answered);
        return;
    }
    char bar[BAR_CELLS + 1];
    uint64_t done =
        sender->read_bytes < sender->file_bytes ? sender->read_bytes : sender->file_bytes;
    uint64_t filled = done * BAR_CELLS / sender->file_bytes;
    memset(bar, '.', BAR_CELLS);
    memset(bar, '#', filled);
    bar[BAR_CELLS] = '\0';
    fprintf(stderr,
            "\r\033[K[%s] %3" PRIu64 " %%  %" PRIu64 " tickets",
            bar,
            done * PERCENT / sender->file_bytes,
            answered);
}

/* ---- answers ---- */

static void refuse(struct sender *sender, uint64_t number, const char *reason)
{
    sender->refused++;
    clear_bar(sender);
    fprintf(stderr, "%s:%" PRIu64 ": %s\n", sender->options->path, number, reason);
}

static void answered(void *context, const struct submitted *answer)
{
    struct sender *sender = context;
    if (answer->answer == ANSWER_OK) {
        sender->accepted++;
    } else if (answer->answer == ANSWER_DUPLICATE) {
        sender->repeated++;
    } else {
        char reason[REFUSAL_BYTES];
        refusal_text(answer, reason);
        refuse(sender, answer->ref, reason);
    }
    draw_bar(sender);
}

/* ---- lines ---- */

/* One thread reads the file, so nothing has to be locked for each of its letters. */
static int next_letter(const struct sender *sender)
{
    return getc_unlocked(sender->file); /* NOLINT(concurrency-mt-unsafe) */
}

/* What some editors put before the first line is not a part of it. */
static void skip_mark(struct bytes *line)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    if (line->size >= sizeof mark && memcmp(line->data, mark, sizeof mark) == 0) {
        *line = bytes_of(line->data + sizeof mark, line->size - (uint32_t) sizeof mark);
    }
}

/* False: the file has ended. A line that is too long comes with size LINE_BYTES. */
static bool read_line(struct sender *sender, struct bytes *line)
{
    uint32_t size = 0;
    int letter = next_letter(sender);
    if (letter == EOF) {
        return false;
    }
    while (letter != EOF && letter != '\n') {
        if (size < LINE_BYTES) {
            sender->line[size++] = (char) letter;
        }
        sender->read_bytes++;
        letter = next_letter(sender);
    }
    sender->read_bytes++;
    sender->number++;
    if (size > 0 && size < LINE_BYTES && sender->line[size - 1] == '\r') {
        size--;
    }
    *line = bytes_of(sender->line, size);
    if (sender->number == 1) {
        skip_mark(line);
    }
    return true;
}

static bool is_blank(struct bytes line)
{
    for (uint32_t i = 0; i < line.size; i++) {
        if (line.data[i] != ' ' && line.data[i] != '\t') {
            return false;
        }
    }
    return true;
}

static vt_err send(struct sender *sender, const struct submit *submit)
{
    vt_err err = client_submit(sender->client, submit);
    while (err == VT_FULL) {
        err = client_run(sender->client, INT64_MAX);
        if (err == VT_OK) {
            err = client_submit(sender->client, submit);
        }
    }
    return err;
}

static vt_err take_line(struct sender *sender, struct bytes line)
{
    char error[TICKET_JSON_ERROR_BYTES];
    uint8_t key[SUBMIT_FILE_KEY_BYTES];
    struct submit submit = {.ref = sender->number, .client = sender->options->client};
    if (is_blank(line)) {
        return VT_OK;
    }
    submit_file_key(sender->batch, sender->number, line, key);
    submit.key = bytes_of(key, sizeof key);
    arena_reset(&sender->arena);
    if (ticket_json_parse(line, &sender->options->json, &sender->arena, &submit, error) != VT_OK) {
        refuse(sender, sender->number, error);
        return VT_OK;
    }
    return send(sender, &submit);
}

/* What has gathered leaves whenever a message is full; answers are taken on the way. */
static vt_err send_all(struct sender *sender)
{
    struct bytes line;
    vt_err err = VT_OK;
    while (err == VT_OK && read_line(sender, &line)) {
        err = take_line(sender, line);
        if (err == VT_OK && sender->number % MESSAGE_ENTRIES_MAX == 0 &&
            client_pending(sender->client) > 0) {
            err = client_run(sender->client, 0);
        }
    }
    return err == VT_OK ? client_drain(sender->client, 1) : err;
}

/* ---- the whole ---- */

static void print_summary(const struct sender *sender)
{
    clear_bar(sender);
    printf("accepted %" PRIu64 ", repeated %" PRIu64 ", refused %" PRIu64 "\n",
           sender->accepted,
           sender->repeated,
           sender->refused);
}

static int conclude(struct sender *sender, vt_err err)
{
    print_summary(sender);
    if (err != VT_OK) {
        int code = cli_client_failed(err, sender->options->server);
        cli_error("%u tickets are unanswered; run the same command again, nothing is created "
                  "twice",
                  client_pending(sender->client));
        return code;
    }
    if (ferror(sender->file) != 0) {
        cli_error("%s: %s", sender->options->path, strerrordesc_np(errno));
        return EXIT_CODE_FAILED;
    }
    return sender->refused > 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

static int open_input(struct sender *sender)
{
    const char *path = sender->options->path;
    if (strcmp(path, "-") == 0) {
        sender->file = stdin;
        return CLI_GO_ON;
    }
    struct stat about;
    sender->file = fopen(path, "re");
    if (sender->file == NULL || fstat(fileno(sender->file), &about) != 0) {
        cli_error("%s: %s", path, strerrordesc_np(errno));
        return errno == ENOENT ? EXIT_CODE_NOT_FOUND : EXIT_CODE_FAILED;
    }
    if (S_ISDIR(about.st_mode)) {
        cli_error("%s: is a folder, not a file of JSON lines", path);
        return EXIT_CODE_USAGE;
    }
    sender->file_bytes = (uint64_t) about.st_size;
    return CLI_GO_ON;
}

static vt_err open_client(struct sender *sender)
{
    struct client_options options = {
        .server = sender->options->server,
        .timeout_ms = sender->options->timeout_ms,
        .answered = answered,
        .context = sender,
    };
    sender->line = malloc(LINE_BYTES);
    if (sender->line == NULL || process_reserve(ARENA_BYTES, &sender->arena) != VT_OK) {
        return VT_UNAVAILABLE;
    }
    return client_open(&options, &sender->client);
}

int submit_file_run(const struct submit_file_options *options)
{
    struct sender sender = {
        .options = options,
        .batch = options->batch != NULL ? options->batch : options->path,
        .has_bar = isatty(STDERR_FILENO) != 0,
    };
    int code = open_input(&sender);
    if (code == CLI_GO_ON) {
        vt_err err = open_client(&sender);
        if (err == VT_OK) {
            code = conclude(&sender, send_all(&sender));
        } else {
            cli_error("out of memory or sockets");
            code = EXIT_CODE_FAILED;
        }
    }
    client_close(sender.client);
    process_unreserve(&sender.arena);
    free(sender.line);
    if (sender.file != NULL && sender.file != stdin) {
        fclose(sender.file);
    }
    return code;
}
