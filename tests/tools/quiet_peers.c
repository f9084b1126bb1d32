/* Peers that only take up room, for tests/integration: quiet_peers HOST PORT SECONDS SILENT SLOW
 * DEAF
 *
 * SILENT connections say nothing at all; SLOW ones send a good greeting one byte a second; DEAF
 * ones shake hands, send the same question over and over and never read an answer. It says "held N"
 * once all that could be had are there, and in the end how many of the silent ones were closed
 * meanwhile.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PEERS_MAX 8192
#define GREETING_BYTES 64
#define TURN_MS 20

struct peers {
    int fds[PEERS_MAX];
    uint32_t count;
};

/* ZMTP 3.0, mechanism NULL. */
static const uint8_t greeting[GREETING_BYTES] = {
    0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0, 'N', 'U', 'L', 'L'};

static void pause_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void) nanosleep(&time, NULL);
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void connect_peers(struct peers *peers, const struct sockaddr_in *address, uint32_t wanted)
{
    while (peers->count < wanted && peers->count < PEERS_MAX) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *) address, sizeof *address) != 0) {
            (void) fprintf(stderr, "quiet_peers: %s\n", strerror(errno));
            return;
        }
        (void) fcntl(fd, F_SETFL, O_NONBLOCK);
        peers->fds[peers->count++] = fd;
    }
}

static void send_all(const struct peers *peers, const void *data, size_t size)
{
    for (uint32_t i = 0; i < peers->count; i++) {
        (void) send(peers->fds[i], data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

static uint32_t closed_count(const struct peers *peers)
{
    uint32_t closed = 0;
    uint8_t bytes[256];
    for (uint32_t i = 0; i < peers->count; i++) {
        ssize_t got = 1;
        while (got > 0) {
            got = recv(peers->fds[i], bytes, sizeof bytes, MSG_DONTWAIT);
        }
        closed += got == 0 || errno != EAGAIN ? 1u : 0u;
    }
    return closed;
}

static void keep(const struct peers *slow, int64_t until_ms)
{
    int64_t begun_ms = now_ms();
    size_t slow_sent = 0;
    while (now_ms() < until_ms) {
        if (slow_sent < GREETING_BYTES && now_ms() - begun_ms >= (int64_t) slow_sent * 1000) {
            send_all(slow, &greeting[slow_sent++], 1);
        }
        pause_ms(TURN_MS);
    }
}

int main(int count, char **arguments)
{
    static struct peers silent;
    static struct peers slow;
    struct rlimit limit = {0};
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (count != 6 || inet_pton(AF_INET, arguments[1], &address.sin_addr) != 1) {
        return EXIT_FAILURE;
    }
    (void) getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void) setrlimit(RLIMIT_NOFILE, &limit);
    address.sin_port = htons((uint16_t) strtoul(arguments[2], NULL, 10));
    int64_t until_ms = now_ms() + strtol(arguments[3], NULL, 10) * 1000;
    connect_peers(&silent, &address, (uint32_t) strtoul(arguments[4], NULL, 10));
    connect_peers(&slow, &address, (uint32_t) strtoul(arguments[5], NULL, 10));
    (void) printf("held %u\n", silent.count + slow.count);
    (void) fflush(stdout);
    keep(&slow, until_ms);
    (void) printf("silent %u closed %u\n", silent.count, closed_count(&silent));
    return EXIT_SUCCESS;
}
