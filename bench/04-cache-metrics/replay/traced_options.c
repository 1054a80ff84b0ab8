/* traced_options.c: the options of a replay of a trace through caches. */
#include "traced_options.h"

#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST (UINT64_C(1) << 48) /* as in the contract */

/* "10%", "0.5%"; how many letters, 0: it is none. */
static size_t take_share(const char *text, double *share)
{
    const size_t digits = strspn(text, "0123456789.");
    char *end;
    *share = strtod(text, &end) / 100;
    return digits > 0 && end == text + digits && *end == '%' && *share > 0 && *share <= 1 ? digits + 1 : 0;
}

/* "1000", "64K", "64KiB"; how many letters, 0: it is none. */
static size_t take_absolute(const char *text, uint64_t *value)
{
    size_t n = text_scaled(text, LARGEST, value);
    if (n > 0 && strchr("KMGkmg", text[n - 1]))
        n += strncmp(text + n, "iB", 2) == 0 ? 2 : 0;
    return *value > 0 ? n : 0;
}

int traced_options_take_sizes(const char *list, void *to, struct error *err)
{
    struct traced_options *o = to;
    const char *p = list;
    for (o->sizes = 0; o->sizes == 0 || *p; o->sizes++) {
        struct traced_size s = {.share = 0};
        size_t n = take_share(p, &s.share);
        if (n == 0) {
            s.share = 0;
            n = take_absolute(p, &s.absolute);
        }
        const char after = n > 0 ? p[n] : '?';
        if ((after != '\0' && (after != ',' || !p[n + 1])) || o->sizes == TRACED_SIZES)
            return error_set(err, -EINVAL,
                             "takes up to %u sizes: shares of what all keys take, such as 1%%,10%%, or bytes (with "
                             "--unit objects: objects), such as 64MiB,1000, not \"%s\"",
                             TRACED_SIZES, list);
        snprintf(s.text, sizeof s.text, "%.*s", (int)n, p);
        o->size[o->sizes] = s;
        p += n + (after == ',');
    }
    return 0;
}

static int take_warm_up(const char *text, void *to, struct error *err)
{
    struct traced_options *o = to;
    const size_t n = take_share(text, &o->warm_up);
    if ((n > 0 && text[n] == '\0' && o->warm_up < 1) || strcmp(text, "0%") == 0)
        return 0;
    return error_set(err, -EINVAL, "takes a share of the requests below 100%%, such as 25%%, not \"%s\"", text);
}

uint64_t traced_capacity(const struct traced_size *size, uint64_t all)
{
    if (size->share <= 0)
        return size->absolute;
    const double capacity = floor(size->share * (double)all);
    return capacity < 1 ? 1 : capacity > (double)LARGEST ? LARGEST : (uint64_t)capacity;
}

struct traced_options traced_options_parse(int argc, char **argv)
{
    static const char *const units[] = {"bytes", "objects", NULL};
    struct traced_options o = {.hit_us = 1, .miss_us = 1000};
    struct error err;
    const struct option_row own[] = {
        {.name = "sizes", .argument = "S,S", .kind = OPTION_OTHER, .to = &o, .take = traced_options_take_sizes},
        {.name = "unit", .argument = "bytes|objects", .kind = OPTION_WORD, .to = &o.unit, .words = units},
        {.name = "format", .argument = "NAME", .kind = OPTION_WORD, .to = &o.format, .words = request_format_word},
        {.name = "hit-us", .argument = "N", .kind = OPTION_NUMBER, .to = &o.hit_us, .most = UINT32_MAX},
        {.name = "miss-us", .argument = "N", .kind = OPTION_NUMBER, .to = &o.miss_us, .most = UINT32_MAX},
        {.name = "warm-up", .argument = "P%", .kind = OPTION_OTHER, .to = &o, .take = take_warm_up}};
    traced_options_take_sizes("1%,10%", &o, &err);
    replay_read_options(&o.all, "04-cache-metrics",
                        "which trace? For example: faultline replay 04 access.log --sizes 1%,10%", own, COUNT(own),
                        argc, argv);
    return o;
}
