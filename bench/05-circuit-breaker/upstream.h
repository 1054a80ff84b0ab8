/* upstream.h: a real nginx on the loopback that is gone, back, and slow; and clients that learn of it: through another
 * nginx in front of it, which gives up after max_fails and tries again after fail_timeout, or directly, with a breaker.
 *
 * All on ports that were free a moment ago, in a folder of its own; ended when the session is, and with the program.
 */
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include "circuit_breaker.h"

#include <stddef.h>

#define UPSTREAM_SPACING_MS 20u /* between two calls of a client */
#define UPSTREAM_TIMEOUT_MS 60u /* of a call */
#define UPSTREAM_OUTAGE_MS  500u
#define UPSTREAM_PATIENCE_S 3.0 /* what has not recovered after so long is not waited for */

struct upstream_time {
    double ms;   /* NaN: it did not come to that */
    double late; /* the most that the client was late with a call on the way */
};

struct upstream_client {
    const struct cb_breaker_ops *breaker; /* NULL: through the nginx in front */
    struct cb_breaker_config config;
    uint32_t max_fails, fail_timeout_s; /* of the nginx */

    /* What came of it: */
    struct upstream_time
        trip; /* the upstream is gone: from the first call that failed to the first that was not sent */
    struct upstream_time recovery;  /* from when it is back to the first call that it answered */
    struct upstream_time slow_trip; /* it is there, and does not answer: as trip */
};

/* About four seconds. 0; or -1, and why it can't be told. At most 4 clients. */
int upstream_session(struct upstream_client *client, uint32_t n, char *why, size_t size);

#endif
