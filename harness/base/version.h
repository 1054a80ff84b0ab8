/* version.h: what this build is, for reports and `faultline --version`. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

extern const char *const version_text;     /* git describe */
extern const char *const version_compiler; /* first line of CC --version */
extern const char *const version_flags;    /* what was asked for beyond the fixed flags: optimisation, sanitizer */
extern const char *const version_found;    /* libraries and programs found at build time */

#endif
