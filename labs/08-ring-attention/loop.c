/* The loop: whose turn it is. Each rank has a stack of its own, and runs until it waits or ends. When a whole round of
 * turns has changed nothing, nothing ever will: all that are left wait.
 */
#include "loop_parts.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define USUAL_STACK ((size_t)1 << 20)
#define LEAST_STACK ((size_t)1 << 16)
#define MOST_STACK  ((size_t)1 << 30)

static _Thread_local struct loop *current;

void loop_work(uint64_t units)
{
    struct rank *r = current ? current->turn : NULL;
    if (!r)
        return;
    uint64_t begin = r->now;
    r->now = loop_add_time(r->loop, begin, units, r->loop->settings->work_per_ns);
    r->told.work += units;
    loop_note(r, LOOP_WORK, units, begin, r->now);
}

uint64_t loop_now(void)
{
    return current && current->turn ? current->turn->now : 0;
}

/* ---- whose turn it is ---- */

static void end_rank(struct rank *r, int code)
{
    struct loop *l = r->loop;
    r->told.code = code;
    r->told.end = r->now;
    r->ended = true;
    l->changes++;
    loop_forget(r);
    if (code && l->broken == 0) {
        l->broken = -EPIPE;
        l->failed = r;
    }
}

static void start(void)
{
    struct rank *r = current->turn;
    end_rank(r, r->loop->body(r->loop->context, &r->link));
    swapcontext(&r->context, &r->loop->scheduler); /* and never back */
}

static void take_turns(struct loop *l)
{
    const uint32_t ranks = l->settings->ranks;
    for (uint32_t alive = ranks; alive;) {
        uint64_t before = l->changes;
        alive = 0;
        for (uint32_t i = 0; i < ranks; i++) {
            l->turn = &l->rank[i];
            if (!l->turn->ended)
                swapcontext(&l->scheduler, &l->turn->context);
            alive += !l->turn->ended;
        }
        if (!alive || before != l->changes || l->broken)
            continue;
        l->broken = -EDEADLK;
        for (uint32_t i = 0; i < ranks; i++)
            l->rank[i].told.waited = !l->rank[i].ended;
    }
}

/* Below each stack, a page that nobody may touch. */
static int make_stack(struct rank *r, size_t size, size_t page)
{
    char *at = mmap(NULL, size + page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return -ENOMEM;
    r->stack = at;
    if (mprotect(at + page, size, PROT_READ | PROT_WRITE) < 0 || getcontext(&r->context) < 0)
        return -ENOMEM;
    r->context.uc_stack.ss_sp = at + page;
    r->context.uc_stack.ss_size = size;
    r->context.uc_link = NULL;
    makecontext(&r->context, start, 0);
    return 0;
}

static int make_rank(struct loop *l, uint32_t number, size_t size, size_t page)
{
    struct rank *r = &l->rank[number];
    r->loop = l;
    r->number = number;
    r->link = loop_link(r);
    return make_stack(r, size, page);
}

static void end_all(struct loop *l, size_t stack, size_t page)
{
    for (struct rank *r = l->rank; r < l->rank + l->settings->ranks; r++) {
        for (struct message *m = r->queue, *next; m; m = next) {
            next = m->next;
            free(m->copy);
            free(m);
        }
        if (r->stack)
            munmap(r->stack, stack + page);
    }
    free(l);
}

static bool is_rate(double x)
{
    return x >= 0 && isfinite(x);
}

static int result(struct loop *l)
{
    struct loop_record *record = l->record;
    if (record) {
        for (uint32_t i = 0; i < l->settings->ranks; i++) {
            record->rank[i] = l->rank[i].told;
            record->total = loop_later(record->total, l->rank[i].told.end);
        }
        record->first = l->failed ? l->failed->number : 0;
    }
    return l->failed ? l->failed->told.code : l->broken;
}

int loop_run(const struct loop_settings *s, int (*body)(void *context, const struct at_link *link), void *context,
             struct loop_record *record)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t stack = s->stack ? s->stack : USUAL_STACK;
    if (s->ranks == 0 || s->ranks > LOOP_MAX_RANKS || !is_rate(s->bytes_per_ns) || !is_rate(s->work_per_ns) ||
        stack < LEAST_STACK || stack > MOST_STACK)
        return -EINVAL;
    stack = (stack + page - 1) / page * page;
    struct loop *l = calloc(1, sizeof *l + s->ranks * sizeof *l->rank), *outer = current;
    if (!l)
        return -ENOMEM;
    *l = (struct loop){.settings = s, .body = body, .context = context, .record = record};
    if (record) {
        record->events = 0;
        record->total = 0;
    }
    int code = 0;
    for (uint32_t i = 0; i < s->ranks && code == 0; i++)
        code = make_rank(l, i, stack, page);
    if (code == 0) {
        current = l;
        take_turns(l);
        current = outer;
        code = result(l);
    }
    end_all(l, stack, page);
    return code;
}

/* ---- in words ---- */

static const char *rank_waits(const struct loop_rank *r, char *text, size_t size)
{
    switch (r->what) {
    case LOOP_BARRIER:
        snprintf(text, size, "at a barrier, for rank %u", r->on);
        break;
    default:
        snprintf(text, size, "in %s, for rank %u to %s %llu bytes",
                 r->what == LOOP_SEND      ? "send"
                 : r->what == LOOP_RECEIVE ? "receive"
                                           : "wait",
                 r->on, r->out ? "take" : "send", (unsigned long long)r->amount);
    }
    return text;
}

const char *loop_tell(const struct loop_settings *s, const struct loop_record *record, char *text, size_t size)
{
    size_t used = 0;
    char one[120];
    if (size)
        *text = '\0';
    for (uint32_t i = 0; i < s->ranks && used < size; i++)
        if (record->rank[i].waited) {
            int n = snprintf(text + used, size - used, "%srank %u waits %s", used ? "; " : "", i,
                             rank_waits(&record->rank[i], one, sizeof one));
            used += n > 0 ? (size_t)n : 0;
        }
    return text;
}
