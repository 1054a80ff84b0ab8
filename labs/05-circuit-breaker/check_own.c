/* Tests of task 6, a policy of one's own for the event of 2015: how much the storage servers serve, from the fault on, of
 * what they could at best.
 */
#include "adapter.h"
#include "base/memory.h"
#include "base/text.h"
#include "check_steps.h"
#include "decided.h"

#include <stdlib.h>
#include <string.h>

#define ENTRY   "own-policy"
#define COLUMNS 60u

/* All lose their membership. To tell all of them again takes 3 to 8 times as long as one of them waits. */
static struct storage event_of_test(struct rng *r)
{
    struct storage s = {.seed = rng_next(r),
                        .servers = (uint32_t)between(r, 400, check_large() ? 2500 : 1200),
                        .workers = (uint32_t)between(r, 1, 8),
                        .timeout_ns = between(r, 1000, 4000) * MS,
                        .fault_at = 20 * S,
                        .fault_ns = between(r, 1, 8) * S};
    const uint64_t all = s.timeout_ns * between(r, 3, 8);
    s.fetch_ns = all * s.workers / s.servers;
    s.interval_ns = all * between(r, 2, 4);
    s.until = s.fault_at + s.fault_ns + 5 * all;
    s.retry = (struct cb_retry_config){
        .most_tries = UINT32_MAX, .base_ns = s.timeout_ns, .cap_ns = s.interval_ns, .budget_most = UINT32_MAX};
    return s;
}

/* Told one after the other, as fast as it goes, from the end of the fault on. */
static double best(const struct storage *s)
{
    const double all = (double)s->servers * (double)s->fetch_ns / s->workers;
    return (double)s->servers * ((double)(s->until - s->fault_at - s->fault_ns) - all / 2);
}

static void draw(const struct storage *s, const uint32_t *in_service, uint32_t seconds, char *text, size_t size)
{
    double column[COLUMNS] = {0};
    char bars[4 * COLUMNS];
    for (uint32_t i = 0; i < COLUMNS; i++) {
        const uint64_t second = (uint64_t)i * seconds / COLUMNS;
        column[i] = in_service[second];
    }
    snprintf(text, size, "in service  |%s| of %u servers, in %u s\n",
             text_bars(bars, sizeof bars, column, COLUMNS, s->servers), s->servers, seconds);
}

static double share_of(const struct storage *s, char *drawing, size_t size)
{
    const struct adapter_header header = {ADAPTER_STORAGE, 0};
    const size_t bytes = sizeof header + sizeof *s;
    unsigned char *block = xcalloc(1, bytes);
    struct host_outcome o;
    struct storage_result result;
    memcpy(block, &header, sizeof header);
    memcpy(block + sizeof header, s, sizeof *s);
    check_host_request((struct host_request){.entry = ENTRY,
                                             .scenario = block,
                                             .scenario_size = bytes,
                                             .record_size = sizeof(uint64_t),
                                             .records = 4000000,
                                             .least_records = 1},
                       &o);
    free(block);
    if (o.verdict != VERDICT_FINISHED)
        check_fail(o.verdict, "%s: %s", ENTRY, o.sentence);
    const uint32_t seconds = (uint32_t)(s->until / S);
    uint32_t *in_service = xcalloc(seconds + 1, sizeof *in_service);
    if (storage_simulate(s, decided_read_retry(o.records, o.count), &result, in_service, seconds) != 0)
        check_fail(VERDICT_GRADER_FAULT, "the event could not be run");
    const char *wrong = decided_wrong();
    check_that(!wrong, "%s", wrong ? wrong : "");
    draw(s, in_service, seconds, drawing, size);
    free(in_service);
    host_outcome_free(&o);
    return (double)result.in_service_ns / best(s);
}

CHECK(own_policy, in_service)
{
    struct rng r = random_of_test(50);
    char text[4000] = "";
    double worst = 1;
    for (uint32_t round = 0; round < 4; round++) {
        const struct storage s = event_of_test(&r);
        const size_t used = strlen(text);
        const double share = share_of(&s, text + used, sizeof text - used);
        worst = share < worst ? share : worst;
    }
    text[strlen(text) - 1] = '\0';
    check_drawing(text);
    check_measured(worst > 0.001 ? worst : 0.001,
                   "in the worst of four events the servers serve %.0f %% of what they could. All ask at once, and the "
                   "last in the queue wait several times as long as they can. Who must ask later, how much later, and "
                   "how does a server learn that without being told?",
                   100 * worst);
}
