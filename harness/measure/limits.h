/* limits.h: the machine's own limits, measured, so that a figure can stand beside what this machine could do at best.
 *
 * Each limit is a row: {"id": "cas", "what": a sentence, "value": 10.8, "low": 10.8, "high": 12.1, "unit": "ns",
 * "statistic": "p10", "chunks": 2400, "place": "1 core", "how": working set and the like, "source": "measured"}; where
 * it could not be measured, value, low and high are null and "reason" says why.
 *
 * The work is timed in short chunks (some 20 us), spread over several rounds, so that most chunks fall between the
 * interruptions of a busy machine. A limit is what the machine can do when it is left alone, so its *value* is that of
 * the chunk that only a tenth of all chunks beat ("p10"): nearly the best, and not an accident. Where two threads want
 * the same line, the best chunk is one in which they happened not to meet, or one in which a host had put both cores of
 * a guest on the two hardware threads of one real core: there the value is the median ("p50"). low and high hold the
 * middle 80 % of the chunks, whatever the statistic. High is far from low where the machine was busy.
 *
 * The file: {"format": 2, "fingerprint": of machine.h, "seconds": that it took, "note": or null, "limits": [rows]}.
 */
#ifndef MEASURE_LIMITS_H
#define MEASURE_LIMITS_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

/* What was kept at `path` when it is of this machine; else measures (about 6 s, up to 1 GiB of memory, all on at most
 * two cores) and keeps it there. `anew` measures in any case. *out is the object above, the caller's; its "note" says
 * why a file that was there was not used, or why the new one could not be kept. Where the topology is another machine's
 * (HWLOC_XMLFILE), nothing is measured or kept, and each row says so.
 *
 * 0 or -errno. Call it before other threads are busy; the calling thread is bound to nothing. */
int limits_get(const char *path, bool anew, bool quiet, json_t **out, struct error *err);

/* The same, but in about `seconds`: the shorter, the less the figures are worth. For tests. */
int limits_get_within(const char *path, double seconds, bool anew, bool quiet, json_t **out, struct error *err);

/* The value of a limit in its unit; NaN where there is none, or limits is NULL. */
double limits_value(const json_t *limits, const char *id);

/* Its row, or NULL. Belongs to limits. */
const json_t *limits_row(const json_t *limits, const char *id);

#endif
