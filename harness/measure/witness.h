/* witness.h: what else happened while a sample was taken: the reasons to doubt it.
 *
 * All of these can be read by any user. A machine that lacks one (no pressure information, say) leaves it at 0 and says
 * so by witness_has. A reader belongs to the thread that opened it. Reading takes some microseconds, so it stands
 * outside the measured region.
 */
#ifndef MEASURE_WITNESS_H
#define MEASURE_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

enum witness_id {
    WITNESS_STEAL,       /* ticks that the hypervisor gave to other guests, whole machine */
    WITNESS_PRESSURE,    /* us that some task of the machine waited for a processor (PSI) */
    WITNESS_WAIT,        /* ns that this thread was ready to run and waited */
    WITNESS_INVOLUNTARY, /* times the processor was taken from this thread */
    WITNESS_FAULTS,      /* page faults of this thread */
    WITNESSES
};
extern const char *const witness_names[WITNESSES]; /* "steal" … */

struct witness {
    uint64_t value[WITNESSES];
};

struct witness_reader {
    int stat, pressure, schedstat; /* descriptors, -1: not there */
};
void witness_open(struct witness_reader *reader); /* for the calling thread */
void witness_close(struct witness_reader *reader);
bool witness_has(const struct witness_reader *reader, enum witness_id id);
void witness_read(const struct witness_reader *reader, struct witness *now);

#endif
