/* arrivals.h: an access log as calls: who asked, and when.
 *
 * A log has whole seconds; requests of one second are spread evenly over it. A client's key is a hash of the first
 * field. The whole log is kept, 16 bytes a request.
 */
#ifndef ARRIVALS_H
#define ARRIVALS_H

#include "base/error.h"
#include "trace/access_log.h"

#include <stddef.h>
#include <stdint.h>

struct arrival {
    uint64_t at, key; /* ns since the log's first second */
};

struct arrivals {
    struct arrival *list; /* [count], by time */
    size_t count, clients;
    uint64_t backwards; /* lines with an earlier time than one before; taken to be at that time */
    struct access_log_counts lines;
};

/* 0, or -errno and a sentence; -EINVAL when no line can be used, or more than a tenth are malformed. */
int arrivals_read(const char *path, struct arrivals *out, struct error *err);
void arrivals_free(struct arrivals *arrivals);

#endif
