/* machine_probe.h: facts about the processor and the kernel, each read from where it stands. For machine.c only.
 *
 * Each function that can fail to find its fact returns false, and `text` then holds the reason. `text` holds
 * PROBE_TEXT bytes.
 */
#ifndef MEASURE_MACHINE_PROBE_H
#define MEASURE_MACHINE_PROBE_H

#include <stdbool.h>

#define PROBE_TEXT 256

void probe_cpu_name(char *text);                          /* as the kernel calls it */
bool probe_cpu_id(char *text);                            /* vendor, family, model, stepping and a hash of its flags */
bool probe_virtualised(char *text);                       /* "no", "kvm", "xen" … */
bool probe_governor(char *text);                          /* of cpufreq */
bool probe_boost(char *text);                             /* "on" or "off" */
bool probe_clocksource(char *text);                       /* "tsc", "arch_sys_counter" … */
bool probe_huge_pages(char *text);                        /* "always", "madvise", "never" */
bool probe_tsc(bool *invariant, double *mhz, char *text); /* takes 2 ms */

/* A 64-bit hash (FNV-1a) as 16 digits, added to what `seed` already holds; the first seed is HASH_START. */
#define HASH_START 0xcbf29ce484222325u
unsigned long long probe_hash(unsigned long long seed, const char *text);

#endif
