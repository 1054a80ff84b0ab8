/* Break it: the shortest standstill from which naive retries never recover.
 *
 * Idea       A standstill is the fault that lets the queue grow fastest. When it ends, everything in the queue is too old if
 *            working it off takes longer than the time-out, and everything that is too old is tried again.
 * Law        In the first time-out `rate` tries a second come, in the second twice as many, up to most_tries times: so many
 *            are in the queue after D seconds; it never empties once that is more than time-out / service time, where
 *            rate x most_tries is more than the service can do.
 * Gets wrong Arrivals are drawn by chance: it takes a tenth more, or nearly.
 * Source     Bronson, Aghayev, Charapko & Zhu 2021, "Metastable failures in distributed systems".
 */
#include "circuit_breaker.h"

static int make(const struct cb_bounds *b, struct cb_fault *fault)
{
    const double timeout = (double)b->timeout_ns, enough = timeout / (double)b->service_ns;
    double waiting = 0, length = 0;
    for (uint32_t tries = 1; waiting < enough; tries += tries < b->most_tries) {
        const double more = (double)b->rate * 1e-9 * tries; /* a ns */
        const double rest = (enough - waiting) / more, ns = rest < timeout ? rest : timeout;
        waiting += ns * more;
        length += ns;
    }
    *fault = (struct cb_fault){.from = b->first, .length = (uint64_t)(1.08 * length), .kind = CB_DOWN};
    return 1;
}

static const struct cb_faults_ops ops = {.make = make};
CB_FAULTS(break_it, "break-it", "a standstill until the queue is too old", &ops);
