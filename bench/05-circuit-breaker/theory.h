/* theory.h: the formulas behind the claims of lab 05.
 *
 * A service works on mu pieces a second, first come, first served, and on those too whose caller has given up. Requests
 * come at rate lambda; each is tried once and up to `retries` times more, and a try is given up after `timeout`.
 */
#ifndef THEORY_H
#define THEORY_H

#include <stdint.h>

struct theory_service {
    double mu, lambda, timeout;
    double retries; /* after the first try */
};

/* The load from which on a fault that is long enough never heals: all that waits is too old, so each request is tried
 * 1 + R times, and lambda (1 + R) = mu is all that can be done. */
double theory_edge(const struct theory_service *s);

/* Work that waits at the end of a standstill of `down` seconds: the k-th retry of a request comes k time-outs after it. */
double theory_backlog(const struct theory_service *s, double down);

/* Seconds from the end of the standstill until the backlog is gone, if each request goes on being tried so often: the
 * bound D lambda (1 + R) / (mu - lambda (1 + R)), which counts the retries from the first moment on. Infinite from the
 * edge on. */
double theory_heals_within(const struct theory_service *s, double down);

/* The same, until requests begin to succeed: the backlog without what isn't asked for yet, until its wait is less than a
 * time-out; then one time-out more until the first of them are done. */
double theory_heals_after(const struct theory_service *s, double down);

/* The shortest standstill, in seconds, after which everything that waits is too old: the backlog is mu x timeout. */
double theory_deadly(const struct theory_service *s);

/* Calls of the last of `layers` services for one request, when it fails them all: tries^layers. */
double theory_amplification(double tries, uint32_t layers);

/* P(Bin(n, p) >= k). */
double theory_at_least(uint32_t n, double p, uint32_t k);

/* Little's law: how many are under way, at `rate` a second, each for `seconds`. */
double theory_little(double rate, double seconds);

/* With full jitter between tries: rate of tries once all fail, which is the same. And the mean wait before try k + 1 is
 * half of min(cap, base 2^(k - 1)). */
double theory_mean_wait(double base, double cap, uint32_t tries);

/* 2015: so many servers ask at once, and all that could not be told in time ask again. How many can ask in a time-out and
 * be told within it: more than that, and what is worked on is never of use. */
double theory_most_servers(double workers, double fetch, double timeout);

/* Waits of an M/M/1 and an M/D/1 queue, without the work, in units of the mean work. */
double theory_mm1_wait(double load);
double theory_md1_wait(double load);

#endif
