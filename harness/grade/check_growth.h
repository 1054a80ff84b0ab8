/* check_growth.h: how much more an operation costs where there is more: in instructions that the host counts
 * (host/count.h), so the figure is the same on every run.
 *
 * A long run is made, with few objects and with many. Only some short stretches of it are counted, drawn by the seed, and
 * nobody in the run can tell which: who prepares for the count must do it all the time, and pays for it. The whole run is
 * judged, counted or not. Growth is a ratio, and who wastes time with few objects makes it smaller: so no more counts
 * there than `most_of_few` times what the reference takes.
 *
 * The lab makes a run whose steps are the last of its scenario: before each of CHECK_GROWTH_STRETCHES stretches a marker
 * (log_count_from_here), and behind it the stretch's operations; all but the first marker is held back (late).
 */
#ifndef GRADE_CHECK_GROWTH_H
#define GRADE_CHECK_GROWTH_H

#include "grade/check.h"

#define CHECK_GROWTH_STRETCHES 60u

struct check_growth {
    const char *entry;
    uint32_t few, many;
    const char *things, *operation; /* "objects", "a request" */
    const char *suspect;            /* "looks at every object": what it probably does, for the sentence */
    double none;                    /* the figure at which there are no points, where lab.json doesn't say */
    double most_of_few;
    uint32_t stretch; /* operations of a stretch */
    size_t step;      /* bytes of an operation, and of a marker */

    /* Makes the run and fills in scenario, scenario_size, record_size, records and least_records. What it returns is given to judge, and then
     * freed: it begins with, or is, the scenario. */
    void *(*make)(const struct check_growth *growth, uint32_t size, struct host_request *request);
    /* Of a run that finished: fails the test when something in it is wrong. */
    void (*judge)(const struct check_growth *growth, uint32_t size, const void *made,
                  const struct host_outcome *outcome);
    const void *context;
};

/* Measures, and leaves the figure (check_measured); the test ends with it. */
void check_growth(const struct check_growth *growth);

#endif
