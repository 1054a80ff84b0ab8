/* storage.h: 20 September 2015, in virtual time: storage servers that must know what they are members of, and the
 * metadata service that tells them.
 *
 * A server may serve while it has its membership. It fetches it again at fixed intervals; a fetch that is not answered in
 * time fails, and the server takes itself out of service until one succeeds. The metadata service works on fetches first
 * come, first served, and on those too whose server has given up. A network fault makes every server lose its membership
 * at the same moment.
 *
 * When to fetch again after a failure is decided by the policy, one instance for each server.
 */
#ifndef STORAGE_H
#define STORAGE_H

#include "circuit_breaker.h"

struct storage {
    uint64_t seed;
    uint32_t servers;
    uint32_t workers;     /* of the metadata service */
    uint64_t fetch_ns;    /* work for one fetch */
    uint64_t timeout_ns;  /* a fetch that takes longer has failed */
    uint64_t interval_ns; /* between the fetches of a server that is in service */
    uint64_t fault_at, fault_ns;
    uint64_t until;
    uint64_t pause_at, pause_ns; /* for so long the service takes no fetches and drops what waits; 0: never */
    struct cb_retry_config retry;
};

#define STORAGE_MOST_SERVERS (1u << 16)

struct storage_result {
    uint64_t in_service_ns;   /* summed over all servers, from fault_at to until */
    uint64_t fetches, wasted; /* that were worked on; of those, for nobody */
    uint64_t healed_ns; /* when 99 of 100 servers were in service for good, from the fault on; UINT64_MAX: never */
};

/* in_service[seconds]: how many are, at each full second; NULL: not wanted. 0; -EINVAL; -ENOMEM; what create failed
 * with. */
int storage_simulate(const struct storage *storage, const struct cb_retry_ops *retry, struct storage_result *result,
                     uint32_t *in_service, uint32_t seconds);

#endif
