/* upstream.c: a real nginx on the loopback that is gone, back, and slow, and clients that learn of it. */
#include "upstream.h"

#include "base/error.h"
#include "base/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_CLIENTS 4u
#define NS_IN_MS     UINT64_C(1000000)

enum phase { WELL, GONE, BACK, STOPPED, OVER };

struct session {
    char folder[FILE_PATH];
    uint16_t upstream, backup, front[MOST_CLIENTS];
    pid_t upstream_pid, front_pid;
    _Atomic int phase;
    uint64_t back_at; /* written before the phase is */
    struct upstream_client *client;
    uint32_t clients;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* ---- sockets ---- */

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
}

/* n different ports that were free a moment ago: all held until the last is found. */
static bool free_ports(uint16_t *const *port, uint32_t n)
{
    int fd[2 + MOST_CLIENTS];
    bool good = true;
    for (uint32_t i = 0; i < n; i++) {
        struct sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        good = good && fd[i] >= 0 && bind(fd[i], (struct sockaddr *)&address, size) == 0 &&
               getsockname(fd[i], (struct sockaddr *)&address, &size) == 0;
        *port[i] = ntohs(address.sin_port);
    }
    for (uint32_t i = 0; i < n; i++)
        if (fd[i] >= 0)
            close(fd[i]);
    return good;
}

static bool ready(int fd, short what, uint64_t until)
{
    const uint64_t now = now_ns();
    struct pollfd p = {.fd = fd, .events = what};
    return now < until && poll(&p, 1, (int)((until - now) / NS_IN_MS) + 1) == 1;
}

/* Asks for / and reads the answer to its end. Bytes; 0: none came within timeout_ms. */
static size_t get(uint16_t port, uint32_t timeout_ms, char *answer, size_t room)
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    const struct sockaddr_in address = loopback(port);
    const uint64_t until = now_ns() + timeout_ms * NS_IN_MS;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    size_t size = 0;
    bool good =
        fd >= 0 && (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS) &&
        ready(fd, POLLOUT, until) && send(fd, request, sizeof request - 1, MSG_NOSIGNAL) == (ssize_t)sizeof request - 1;
    while (good && size + 1 < room && ready(fd, POLLIN, until)) {
        const ssize_t n = recv(fd, answer + size, room - 1 - size, 0);
        good = n > 0;
        size += good ? (size_t)n : 0;
        if (n == 0) { /* whole */
            answer[size] = '\0';
            close(fd);
            return size;
        }
    }
    if (fd >= 0)
        close(fd);
    answer[0] = '\0';
    return 0;
}

/* ---- servers ---- */

static _Noreturn void become_nginx(const char *folder, const char *config)
{
    const int null = open("/dev/null", O_RDWR);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int fd = 0; null >= 0 && fd <= 2; fd++)
        dup2(null, fd);
    execlp("nginx", "nginx", "-p", folder, "-c", config, "-e", "/dev/null", (char *)NULL);
    execl("/usr/sbin/nginx", "nginx", "-p", folder, "-c", config, "-e", "/dev/null", (char *)NULL);
    _exit(127);
}

/* Waits until it answers, up to 5 s, or has ended. */
static bool start(pid_t *pid, const char *folder, const char *config, uint16_t port)
{
    char answer[1000];
    *pid = fork();
    if (*pid == 0)
        become_nginx(folder, config);
    for (uint64_t until = now_ns() + 5000 * NS_IN_MS; *pid > 0 && now_ns() < until; usleep(1000)) {
        if (get(port, 100, answer, sizeof answer) > 0)
            return true;
        if (waitpid(*pid, NULL, WNOHANG) == *pid)
            *pid = 0;
    }
    return false;
}

static void end(pid_t *pid)
{
    if (*pid <= 0)
        return;
    kill(*pid, SIGKILL);
    waitpid(*pid, NULL, 0);
    *pid = 0;
}

static void begin_config(FILE *f, const char *name)
{
    static const char *const kinds[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};
    fprintf(f,
            "daemon off; master_process off; pid %s.pid;\nevents { worker_connections 256; }\nhttp { access_log off;\n",
            name);
    for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        fprintf(f, "%s_temp_path %s_%s;\n", kinds[i], name, kinds[i]);
}

static bool write_configs(const struct session *s)
{
    char path[FILE_PATH + 20];
    snprintf(path, sizeof path, "%s/upstream.conf", s->folder);
    FILE *f = fopen(path, "w");
    if (!f)
        return false;
    begin_config(f, "upstream");
    fprintf(f, "server { listen 127.0.0.1:%u; location / { return 200 \"upstream\\n\"; } }\n}\n", s->upstream);
    bool good = fclose(f) == 0;
    snprintf(path, sizeof path, "%s/front.conf", s->folder);
    f = fopen(path, "w");
    if (!f)
        return false;
    begin_config(f, "front");
    fprintf(f, "server { listen 127.0.0.1:%u; location / { return 200 \"backup\\n\"; } }\n", s->backup);
    for (uint32_t i = 0; i < s->clients; i++)
        fprintf(f,
                "upstream u%u { server 127.0.0.1:%u max_fails=%u fail_timeout=%us; server 127.0.0.1:%u backup; }\n"
                "server { listen 127.0.0.1:%u; location / { proxy_pass http://u%u; proxy_connect_timeout %ums; "
                "proxy_read_timeout %ums; add_header X-Asked \"$upstream_addr.\"; } }\n",
                i, s->upstream, s->client[i].max_fails, s->client[i].fail_timeout_s, s->backup, s->front[i], i,
                UPSTREAM_TIMEOUT_MS, UPSTREAM_TIMEOUT_MS);
    fprintf(f, "}\n");
    return fclose(f) == 0 && good;
}

/* ---- a client ---- */

enum answer { ANSWERED, FAILED, NOT_SENT };

/* Through the nginx in front, which says whom it has asked: "127.0.0.1:1, 127.0.0.1:2." */
static enum answer ask_nginx(const struct session *s, uint32_t i)
{
    char answer[2000], both[64];
    if (get(s->front[i], 10 * UPSTREAM_TIMEOUT_MS, answer, sizeof answer) == 0)
        return FAILED;
    snprintf(both, sizeof both, "X-Asked: 127.0.0.1:%u.", s->upstream);
    if (strstr(answer, both))
        return ANSWERED;
    snprintf(both, sizeof both, "X-Asked: 127.0.0.1:%u,", s->upstream);
    return strstr(answer, both) ? FAILED : NOT_SENT;
}

static enum answer ask_breaker(const struct session *s, const struct cb_breaker_ops *ops, void *breaker)
{
    char answer[2000];
    const uint64_t began = now_ns();
    const struct cb_permit p = ops->allow(breaker, began);
    if (!p.allowed)
        return NOT_SENT;
    const bool good = get(s->upstream, UPSTREAM_TIMEOUT_MS, answer, sizeof answer) > 0 && strstr(answer, " 200 ");
    const uint64_t now = now_ns(), took = now - began;
    ops->record(breaker, p.ticket, now,
                good                                     ? CB_SUCCESS
                : took >= UPSTREAM_TIMEOUT_MS * NS_IN_MS ? CB_TIMEOUT
                                                         : CB_ERROR,
                took);
    return good ? ANSWERED : FAILED;
}

static double ms_between(uint64_t from, uint64_t to)
{
    return to > from ? (double)(to - from) / (double)NS_IN_MS : 0;
}

/* What a call adds to what is known of a phase. */
static void learn(const struct session *s, struct upstream_client *c, int phase, uint64_t began, enum answer answer,
                  uint64_t *first_failed)
{
    struct upstream_time *trip = phase == GONE ? &c->trip : phase == STOPPED ? &c->slow_trip : NULL;
    if (trip && isnan(trip->ms)) {
        if (answer == FAILED && *first_failed == 0)
            *first_failed = began;
        if (answer == NOT_SENT && *first_failed > 0)
            trip->ms = ms_between(*first_failed, began);
    }
    if (phase == BACK && isnan(c->recovery.ms) && answer == ANSWERED)
        c->recovery.ms = ms_between(s->back_at, began);
}

static void note_late(struct upstream_client *c, int phase, double late)
{
    struct upstream_time *t = phase == GONE ? &c->trip : phase == BACK ? &c->recovery : &c->slow_trip;
    if (phase != WELL && isnan(t->ms) && late > t->late)
        t->late = late;
}

struct member {
    struct session *session;
    uint32_t number;
    void *breaker;
};

static void *call_on(void *context)
{
    struct member *m = context;
    struct session *s = m->session;
    struct upstream_client *c = &s->client[m->number];
    const uint64_t spacing = UPSTREAM_SPACING_MS * NS_IN_MS;
    uint64_t due = now_ns(), first_failed = 0;
    int last = WELL;
    for (;;) {
        int phase = atomic_load(&s->phase);
        if (phase == OVER)
            return NULL;
        const uint64_t began = now_ns();
        note_late(c, phase, ms_between(due, began));
        const enum answer answer = c->breaker ? ask_breaker(s, c->breaker, m->breaker) : ask_nginx(s, m->number);
        if (answer == FAILED) /* it was on its way when the upstream went */
            phase = atomic_load(&s->phase);
        first_failed = phase == last ? first_failed : 0;
        last = phase;
        learn(s, c, phase, began, answer, &first_failed);
        due += spacing;
        if (now_ns() > due) /* the call took longer: the next one goes at once */
            due = now_ns();
        const struct timespec t = {(time_t)(due / UINT64_C(1000000000)), (long)(due % UINT64_C(1000000000))};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
    }
}

/* ---- the session ---- */

static bool all_back(const struct session *s)
{
    for (uint32_t i = 0; i < s->clients; i++)
        if (isnan(s->client[i].recovery.ms))
            return false;
    return true;
}

static void pause_ms(uint32_t ms)
{
    usleep(1000 * ms);
}

/* It is gone, comes back, and then is there without answering. */
static bool go_through(struct session *s)
{
    pause_ms(15 * UPSTREAM_SPACING_MS);
    atomic_store(&s->phase, GONE); /* a moment too early: what is answered now says nothing */
    end(&s->upstream_pid);
    pause_ms(UPSTREAM_OUTAGE_MS);
    if (!start(&s->upstream_pid, s->folder, "upstream.conf", s->upstream))
        return false;
    s->back_at = now_ns();
    atomic_store(&s->phase, BACK);
    while (!all_back(s) && (double)(now_ns() - s->back_at) < UPSTREAM_PATIENCE_S * 1e9)
        pause_ms(1);
    pause_ms(15 * UPSTREAM_SPACING_MS);
    atomic_store(&s->phase, STOPPED);
    kill(s->upstream_pid, SIGSTOP);
    pause_ms(10 * UPSTREAM_TIMEOUT_MS);
    return true;
}

static int run_clients(struct session *s)
{
    pthread_t thread[MOST_CLIENTS];
    struct member member[MOST_CLIENTS];
    uint32_t n = 0;
    bool good = true;
    for (; good && n < s->clients; n++) {
        struct upstream_client *c = &s->client[n];
        member[n] = (struct member){.session = s, .number = n};
        if (c->breaker)
            good = c->breaker->create(&c->config, &member[n].breaker) == 0;
        if (good && pthread_create(&thread[n], NULL, call_on, &member[n]) != 0) {
            if (c->breaker)
                c->breaker->destroy(member[n].breaker);
            good = false;
        }
        if (!good)
            break;
    }
    good = good && go_through(s);
    atomic_store(&s->phase, OVER);
    while (n-- > 0) {
        pthread_join(thread[n], NULL);
        if (s->client[n].breaker)
            s->client[n].breaker->destroy(member[n].breaker);
    }
    return good ? 0 : -1;
}

int upstream_session(struct upstream_client *client, uint32_t n, char *why, size_t size)
{
    struct session s = {.client = client, .clients = n, .phase = WELL};
    uint16_t *port[2 + MOST_CLIENTS] = {&s.upstream, &s.backup};
    int code = -1;
    for (uint32_t i = 0; i < n; i++) {
        port[2 + i] = &s.front[i];
        client[i].trip = client[i].recovery = client[i].slow_trip = (struct upstream_time){NAN, 0};
    }
    snprintf(why, size, "nginx is not installed or does not start (on Debian and Ubuntu: apt-get install nginx)");
    if (!free_ports(port, 2 + n) || file_temp_dir(s.folder, "faultline-nginx", NULL) != 0)
        return -1;
    if (write_configs(&s) && start(&s.upstream_pid, s.folder, "upstream.conf", s.upstream) &&
        start(&s.front_pid, s.folder, "front.conf", s.backup))
        code = run_clients(&s);
    end(&s.front_pid);
    end(&s.upstream_pid);
    file_remove_tree(s.folder);
    return code;
}
