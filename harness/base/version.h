/* version.h: what this build is, for reports and `faultline --version`. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

/* git describe, in a room that is the same for all: two builds of the same sources then differ in nothing else, which is
 * how harness/test.sh knows what has not changed. */
extern const char version_text[64];

extern const char *const version_compiler; /* first line of CC --version */
extern const char *const version_flags;    /* what was asked for beyond the fixed flags: optimisation, sanitizer */
extern const char *const version_found;    /* libraries and programs found at build time */

#endif
