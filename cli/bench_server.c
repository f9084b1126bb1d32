#include "cli/bench_server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/bench_plan.h"
#include "cli/cli.h"
#include "lib/check.h"

#define READY_BYTES 2048u
#define PAGE_BYTES (1u << 20)
#define STOP_TRIES 3u
#define LOG_LINES_MAX 50u
#define STOP_WAIT_MS 5000
#define STEP_MS 5
#define NS_PER_MS 1000000L
#define NS_PER_S 1e9
#define BYTES_PER_KB 1024u

/* ---- folder ---- */

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *where)
{
    (void) about;
    (void) type;
    (void) where;
    return remove(path);
}

vt_err bench_server_prepare(struct bench_server *server)
{
    const char *base = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): nobody changes it */
    char path[BENCH_SERVER_PATH_BYTES + 16];
    *server = (struct bench_server){.out_fd = -1};
    snprintf(server->folder,
             sizeof server->folder,
             "%s/ventanilla-bench-XXXXXX",
             base == NULL || base[0] == '\0' ? "/tmp" : base);
    if (mkdtemp(server->folder) == NULL) {
        cli_error("%s: %s", server->folder, strerrordesc_np(errno));
        server->folder[0] = '\0';
        return VT_UNAVAILABLE;
    }
    snprintf(path, sizeof path, "%s/plan.yaml", server->folder);
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return VT_UNAVAILABLE;
    }
    bench_plan_write(file);
    return fclose(file) == 0 ? VT_OK : VT_UNAVAILABLE;
}

/* ---- process ---- */

static _Noreturn void run_child(const char *folder, int out_fd, pid_t parent)
{
    char plan[BENCH_SERVER_PATH_BYTES + 16];
    char data[BENCH_SERVER_PATH_BYTES + 16];
    snprintf(plan, sizeof plan, "%s/plan.yaml", folder);
    snprintf(data, sizeof data, "%s/data", folder);
    char any[] = "127.0.0.1:0";
    char words[][16] = {"ventanilla",
                        "serve",
                        "--data",
                        "--plan",
                        "--clients",
                        "--sites",
                        "--http",
                        "--log-level",
                        "warn",
                        "--drain",
                        "5s"};
    char *const argv[] = {words[0],
                          words[1],
                          words[2],
                          data,
                          words[3],
                          plan,
                          words[4],
                          any,
                          words[5],
                          any,
                          words[6],
                          any,
                          words[7],
                          words[8],
                          words[9],
                          words[10],
                          NULL};
    /* Nobody is left behind when the bench is killed. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    char log[BENCH_SERVER_PATH_BYTES + 16];
    snprintf(log, sizeof log, "%s/serve.log", folder);
    int log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (getppid() != parent || dup2(out_fd, STDOUT_FILENO) < 0 || dup2(log_fd, STDERR_FILENO) < 0) {
        _exit(EXIT_CODE_FAILED);
    }
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    execv("/proc/self/exe", argv);
    _exit(EXIT_CODE_FAILED);
}

/* What it has said, before its folder goes. */
static void show_log(const struct bench_server *server)
{
    char line[BENCH_SERVER_PATH_BYTES + 16];
    snprintf(line, sizeof line, "%s/serve.log", server->folder);
    FILE *file = fopen(line, "re");
    for (uint32_t i = 0; file != NULL && i < LOG_LINES_MAX; i++) {
        if (fgets(line, sizeof line, file) == NULL) {
            break;
        }
        fputs(line, stderr);
    }
    if (file != NULL) {
        fclose(file);
    }
}

/* "clients  127.0.0.1:40123" */
static void take_address(const char *text, const char *name, char *address)
{
    const char *at = strstr(text, name);
    if (at == NULL) {
        return;
    }
    at += strlen(name);
    at += strspn(at, " ");
    if (strncmp(at, "http://", 7) == 0) {
        at += 7;
    }
    size_t size = strcspn(at, " /\n");
    if (size < BENCH_SERVER_ADDRESS_BYTES) {
        memcpy(address, at, size);
        address[size] = '\0';
    }
}

static vt_err read_ready(struct bench_server *server)
{
    char text[READY_BYTES];
    size_t size = 0;
    text[0] = '\0';
    while (strstr(text, "ready in") == NULL) {
        ssize_t got = read(server->out_fd, text + size, sizeof text - 1 - size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return VT_UNAVAILABLE;
        }
        size += (size_t) got;
        text[size] = '\0';
    }
    take_address(text, "\nclients", server->clients);
    take_address(text, "\nsites", server->sites);
    take_address(text, "\nhttp", server->http);
    return VT_OK;
}

vt_err bench_server_start(struct bench_server *server)
{
    int ends[2];
    CHECK(server->pid == 0);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return VT_UNAVAILABLE;
    }
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        run_child(server->folder, ends[1], parent);
    }
    close(ends[1]);
    server->out_fd = ends[0];
    server->pid = pid < 0 ? 0 : pid;
    vt_err err = pid < 0 ? VT_UNAVAILABLE : read_ready(server);
    if (err != VT_OK) {
        cli_error("`ventanilla serve` did not come up");
        show_log(server);
        bench_server_kill(server);
    }
    return err;
}

static void pause_ms(int64_t ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long) (ms % 1000) * NS_PER_MS};
    nanosleep(&time, NULL);
}

static void forget(struct bench_server *server)
{
    if (server->out_fd >= 0) {
        close(server->out_fd);
    }
    server->out_fd = -1;
    server->pid = 0;
}

static bool wait_for_end(struct bench_server *server)
{
    for (int64_t waited_ms = 0; waited_ms < STOP_WAIT_MS; waited_ms += STEP_MS) {
        if (waitpid(server->pid, NULL, WNOHANG) != 0) {
            forget(server);
            return true;
        }
        pause_ms(STEP_MS);
    }
    return false;
}

void bench_server_stop(struct bench_server *server)
{
    for (uint32_t i = 0; i < STOP_TRIES && server->pid != 0; i++) {
        kill(server->pid, i + 1 < STOP_TRIES ? SIGTERM : SIGKILL);
        if (wait_for_end(server)) {
            return;
        }
    }
}

void bench_server_kill(struct bench_server *server)
{
    if (server->pid != 0) {
        kill(server->pid, SIGKILL);
        waitpid(server->pid, NULL, 0);
    }
    forget(server);
}

void bench_server_close(struct bench_server *server)
{
    bench_server_stop(server);
    if (server->folder[0] != '\0') {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else changes into another folder */
        nftw(server->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        server->folder[0] = '\0';
    }
}

/* ---- what can be seen ---- */

double bench_server_cpu_s(const struct bench_server *server)
{
    clockid_t clock = 0;
    struct timespec used;
    if (server->pid == 0 || clock_getcpuclockid(server->pid, &clock) != 0 ||
        clock_gettime(clock, &used) != 0) {
        return 0;
    }
    return (double) used.tv_sec + (double) used.tv_nsec / NS_PER_S;
}

uint64_t bench_server_pss_bytes(const struct bench_server *server)
{
    char line[128];
    unsigned long long kilobytes = 0;
    snprintf(line, sizeof line, "/proc/%d/smaps_rollup", (int) server->pid);
    FILE *file = server->pid == 0 ? NULL : fopen(line, "re");
    if (file == NULL) {
        return 0;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "Pss:", 4) == 0) {
            kilobytes = strtoull(line + 4, NULL, 10);
            break;
        }
    }
    fclose(file);
    return kilobytes * BYTES_PER_KB;
}

static int dial(const char *address)
{
    char host[BENCH_SERVER_ADDRESS_BYTES];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    snprintf(host, sizeof host, "%s", address);
    char *colon = strrchr(host, ':');
    if (colon == NULL) {
        return -1;
    }
    *colon = '\0';
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0) {
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static bool read_page(const char *address, char *page)
{
    static const char request[] =
        "GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
    size_t size = 0;
    int fd = dial(address);
    if (fd < 0) {
        return false;
    }
    ssize_t got = write(fd, request, sizeof request - 1) < 0 ? -1 : 1;
    while (got > 0 && size < PAGE_BYTES - 1) {
        got = read(fd, page + size, PAGE_BYTES - 1 - size);
        size += got > 0 ? (size_t) got : 0;
    }
    page[size] = '\0';
    close(fd);
    return size > 0;
}

static double find_metric(const char *page, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = strstr(page, name); at != NULL; at = strstr(at + 1, name)) {
        if (at > page && at[-1] == '\n' && at[size] == ' ') {
            return strtod(at + size, NULL);
        }
    }
    return -1;
}

double bench_server_metric(const struct bench_server *server, const char *name)
{
    double value = -1;
    char *page = malloc(PAGE_BYTES);
    if (page != NULL && server->http[0] != '\0' && read_page(server->http, page)) {
        value = find_metric(page, name);
    }
    free(page);
    return value;
}
