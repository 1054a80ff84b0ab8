/* machine.h: where and with what figures were measured, for whoever compares them with their own. */
#ifndef REPORT_MACHINE_H
#define REPORT_MACHINE_H

#include <jansson.h>

/* {"cpu", "cores", "threads", "system", "compiler", "flags", "found"}: cores that are online, threads that were used.
 * The caller's. */
json_t *machine_describe(void);

#endif
