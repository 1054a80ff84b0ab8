/* cost.c: what an operation costs. */
#include "skeleton.h"

#include "cost/cost.h"

#include <errno.h>
#include <stdlib.h>

struct door {
    const struct skeleton_ops *ops;
    void *counter;
    volatile uint32_t in; /* so that no call can be left out */
};

static int create(const struct cost_subject *subject, void **out, struct error *err)
{
    struct door *d = calloc(1, sizeof *d);
    if (!d)
        return error_set(err, -ENOMEM, "out of memory");
    d->ops = plugin_find(subject->plugin, subject->name);
    int code = d->ops->create(UINT32_MAX, &d->counter);
    if (code) {
        free(d);
        return error_set(err, code, "no counter could be made");
    }
    *out = d;
    return 0;
}

static void run(void *state, unsigned thread, uint64_t n)
{
    struct door *d = state;
    (void)thread;
    for (uint64_t i = 0; i < n; i++)
        d->in += d->ops->take(d->counter, 1);
}

static void destroy(void *state)
{
    struct door *d = state;
    d->ops->destroy(d->counter);
    free(d);
}

static const uint64_t sizes[] = {1, 0};
static const unsigned threads[] = {1, 0};
static const struct cost_operation operations[] = {
    {.name = "take",
     .what = "one asks to be let in",
     .sizes = sizes,
     .threads = threads,
     .create = create,
     .run = run,
     .destroy = destroy,
     .simulated = true},
};

int main(int argc, char **argv)
{
    const struct cost_suite suite = {.lab_folder = "SKELETON_NUMBER-SKELETON_NAME",
                                     .operation = operations,
                                     .operations = sizeof operations / sizeof *operations};
    return cost_main(argc, argv, &suite);
}
