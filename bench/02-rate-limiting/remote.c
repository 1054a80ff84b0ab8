/* remote.c: limits kept by a real Redis on this machine. */
#include "remote.h"

#include <stdio.h>

#if __has_include(<hiredis/hiredis.h>)

#include "base/file.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct remote {
    redisContext *connection;
    enum remote_rule rule;
    char name[64];
    uint64_t limit;
    unsigned window_s;
};

/* ---- the server ---- */

static struct {
    pthread_mutex_t lock;
    pid_t pid;
    int port;
    char folder[FILE_PATH];
    bool failed;
} server = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void end_server(void)
{
    if (server.pid <= 0)
        return;
    kill(server.pid, SIGKILL);
    waitpid(server.pid, NULL, 0);
    server.pid = 0;
    file_remove_tree(server.folder);
}

/* A port that was free a moment ago. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                getsockname(fd, (struct sockaddr *)&address, &size) == 0;
    if (fd >= 0)
        close(fd);
    return good ? ntohs(address.sin_port) : 0;
}

_Noreturn static void become_server(const char *port)
{
    int null = open("/dev/null", O_RDWR);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
    }
    execlp("redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
           "--dir", server.folder, (char *)NULL);
    _exit(127);
}

static redisContext *connect_to_server(void)
{
    redisContext *c = redisConnectWithTimeout("127.0.0.1", server.port, (struct timeval){2, 0});
    if (c && c->err) {
        redisFree(c);
        return NULL;
    }
    return c;
}

/* Waits until it answers, up to 5 s, or has ended. */
static bool start_server(void)
{
    char port[16];
    server.port = free_port();
    snprintf(port, sizeof port, "%d", server.port);
    if (!server.port || file_temp_dir(server.folder, "faultline-redis", NULL) != 0)
        return false;
    server.pid = fork();
    if (server.pid == 0)
        become_server(port);
    for (int i = 0; server.pid > 0 && i < 500; i++) {
        redisContext *c = connect_to_server();
        if (c) {
            redisFree(c);
            atexit(end_server);
            return true;
        }
        if (waitpid(server.pid, NULL, WNOHANG) == server.pid) {
            server.pid = 0;
            break;
        }
        usleep(10000);
    }
    end_server();
    file_remove_tree(server.folder);
    return false;
}

static bool have_server(void)
{
    pthread_mutex_lock(&server.lock);
    if (server.pid == 0 && !server.failed)
        server.failed = !start_server();
    pthread_mutex_unlock(&server.lock);
    return !server.failed;
}

/* ---- a client ---- */

struct remote *remote_connect(enum remote_rule rule, const char *name, uint64_t limit, unsigned window_s, char *why,
                              size_t size)
{
    struct remote *r = calloc(1, sizeof *r);
    if (!r || !have_server() || !(r->connection = connect_to_server())) {
        snprintf(why, size,
                 "redis-server is not installed or does not start (on Debian and Ubuntu: apt-get install "
                 "redis-server)");
        free(r);
        return NULL;
    }
    r->rule = rule;
    r->limit = limit;
    r->window_s = window_s;
    snprintf(r->name, sizeof r->name, "%s", name);
    return r;
}

void remote_close(struct remote *remote)
{
    redisFree(remote->connection);
    free(remote);
}

/* The integer that a command answers with (nil is 0), or -1. */
static long long integer_of(redisReply *reply)
{
    long long value = -1;
    if (reply && reply->type == REDIS_REPLY_INTEGER)
        value = reply->integer;
    else if (reply && reply->type == REDIS_REPLY_STRING)
        value = strtoll(reply->str, NULL, 10);
    else if (reply && (reply->type == REDIS_REPLY_NIL || reply->type == REDIS_REPLY_STATUS))
        value = 0;
    if (reply)
        freeReplyObject(reply);
    return value;
}

static int get_then_set(struct remote *r, uint64_t key)
{
    long long count = integer_of(redisCommand(r->connection, "GET %s:%llu", r->name, (unsigned long long)key));
    if (count < 0 || (uint64_t)count >= r->limit)
        return count < 0 ? -1 : 0;
    return integer_of(redisCommand(r->connection, "SET %s:%llu %lld EX %u", r->name, (unsigned long long)key, count + 1,
                                   r->window_s)) < 0
               ? -1
               : 1;
}

static long long increment(struct remote *r, uint64_t key)
{
    return integer_of(redisCommand(r->connection, "INCR %s:%llu", r->name, (unsigned long long)key));
}

static int incr_then_expire(struct remote *r, uint64_t key)
{
    long long count = increment(r, key);
    if (count == 1 &&
        integer_of(redisCommand(r->connection, "EXPIRE %s:%llu %u", r->name, (unsigned long long)key, r->window_s)) < 0)
        return -1;
    return count < 0 ? -1 : (uint64_t)count <= r->limit;
}

/* Times are microseconds, which a Lua number holds exactly for 285 years. */
static const char script[] = "local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1])) "
                             "if due - ARGV[1] > ARGV[3] - ARGV[2] then return 0 end "
                             "redis.call('SET', KEYS[1], string.format('%.0f', due + ARGV[2]), 'PX', ARGV[4]) return 1";

static int gcra(struct remote *r, uint64_t key, uint64_t now_us)
{
    unsigned long long window_us = 1000000ull * r->window_s, each = window_us / r->limit;
    return (int)integer_of(redisCommand(r->connection, "EVAL %s 1 %s:%llu %llu %llu %llu %llu", script, r->name,
                                        (unsigned long long)key, (unsigned long long)now_us, each, window_us,
                                        window_us / 1000 + 1));
}

int remote_allow(struct remote *r, uint64_t key, uint64_t now_us)
{
    switch (r->rule) {
    case REMOTE_GET_SET:
        return get_then_set(r, key);
    case REMOTE_INCR_EXPIRE:
        return incr_then_expire(r, key);
    case REMOTE_GCRA:
        return gcra(r, key, now_us);
    }
    return -1;
}

void remote_die(struct remote *r, uint64_t key)
{
    if (r->rule == REMOTE_INCR_EXPIRE)
        increment(r, key);
    else
        remote_allow(r, key, 1);
    remote_close(r);
}

long remote_leaked(struct remote *r)
{
    long leaked = 0;
    redisReply *keys = redisCommand(r->connection, "KEYS %s:*", r->name);
    if (!keys || keys->type != REDIS_REPLY_ARRAY)
        leaked = -1;
    for (size_t i = 0; leaked >= 0 && i < keys->elements; i++)
        leaked += integer_of(redisCommand(r->connection, "TTL %s", keys->element[i]->str)) == -1;
    if (keys)
        freeReplyObject(keys);
    return leaked;
}

#else

struct remote *remote_connect(enum remote_rule rule, const char *name, uint64_t limit, unsigned window_s, char *why,
                              size_t size)
{
    (void)rule, (void)name, (void)limit, (void)window_s;
    snprintf(why, size,
             "built without hiredis, so nothing was asked of a Redis (on Debian and Ubuntu: apt-get install "
             "libhiredis-dev redis-server, then make clean)");
    return NULL;
}

void remote_close(struct remote *remote)
{
    (void)remote;
}

int remote_allow(struct remote *remote, uint64_t key, uint64_t now_us)
{
    (void)remote, (void)key, (void)now_us;
    return -1;
}

void remote_die(struct remote *remote, uint64_t key)
{
    (void)remote, (void)key;
}

long remote_leaked(struct remote *remote)
{
    (void)remote;
    return -1;
}

#endif
