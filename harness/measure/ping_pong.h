/* ping_pong.h: how long a cache line takes from one core to another and back: a thermometer for two-thread figures.
 *
 * Two threads can only be compared while both are on their cores at once. A neighbour that takes one of them away, or
 * moves the guest, shows here first. So it is taken before and after a figure of two threads, and where the two readings
 * are far apart the figure is not believed.
 */
#ifndef MEASURE_PING_PONG_H
#define MEASURE_PING_PONG_H

#include "measure/topology.h"

/* Round trip in ns: the tenth percentile of many short chunks. About 2 ms. 0 or -errno. */
int ping_pong_ns(const struct topology *topology, const unsigned place[2], double *ns);

#endif
