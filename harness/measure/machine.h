/* machine.h: where and with what figures were measured, for whoever compares them with their own.
 *
 * A description is made anew for every report, so it is cheap (some milliseconds, most of them hwloc's) and times
 * nothing but the clock. What can't be known is null, and `reasons` says why, by the field's name. Nothing in it tells
 * whose machine it is: no host name, no serial number, no memory size.
 *
 * {"cpu": "…", "cpu_id": "GenuineIntel 6-143-8, flags 1f2e…", "virtualised": "kvm" or "no",
 *  "topology": "this machine" or where another was taken from,
 *  "packages": 1, "numa_nodes": 1, "cores": 2, "usable_cores": 2, "hardware_threads": 2, "smt": false,
 *  "threads": 2 (that this process may use),
 *  "caches": [{"level", "kind", "bytes", "line", "ways", "shared_by", "count"}],
 *  "governor": "performance", "boost": true, "clocksource": "tsc", "tsc": {"invariant": true, "mhz": 2000.0},
 *  "thp": "madvise", "clock_ns": 27.1, "system": "Linux 6.1.0 x86_64", "kernel": "6.1",
 *  "compiler": "…", "flags": "-O2", "found": "…", "fingerprint": "…", "reasons": {"governor": "…"}}
 */
#ifndef MEASURE_MACHINE_H
#define MEASURE_MACHINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The caller's. Never NULL but when memory is out. */
json_t *machine_describe(void);

/* A short text that is the same for as long as figures can be compared at all: the hash of processor (name, model,
 * flags), cores that may be used, packages, caches, hypervisor and the kernel's major and minor version. */
#define MACHINE_FINGERPRINT 65
void machine_fingerprint(char out[MACHINE_FINGERPRINT]);

/* Whether figures taken on `was` (a baseline) may be set beside figures taken on `is`: all that the fingerprint is made
 * of, and compiler, flags, clock source, governor, boost, huge pages and number of threads. why (may be NULL) gets
 * what differs: "flags: -O0 then, -O2 now; governor: …". A field that one of the two lacks counts as a difference. */
bool machine_same(const json_t *was, const json_t *is, char *why, size_t size);

#endif
