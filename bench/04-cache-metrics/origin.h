/* origin.h: what misses do to a database: each holds one of its connections for a while, or waits for one. */
#ifndef ORIGIN_H
#define ORIGIN_H

#include <stdint.h>

struct origin;

/* pool: connections; 0: as many as are asked for. No memory ends the program, with exit code 3. */
struct origin *origin_create(uint32_t pool);
void origin_destroy(struct origin *origin);

/* A query comes and takes so long once it has a connection. In the order of their times; who waits is served in that
 * order. */
void origin_ask(struct origin *origin, uint64_t now, uint64_t takes);

/* Connections that are busy between two moments, on average; queries that wait for one at a moment. */
double origin_busy(const struct origin *origin, uint64_t from, uint64_t until);
uint32_t origin_waiting(const struct origin *origin, uint64_t now);

#endif
