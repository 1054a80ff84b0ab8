/* claims_lab.h: a lab in a folder of its own, to run a claims program in. claims_main ends the program on wrong use,
 * so it runs in a child. */
#ifndef REPORT_TESTS_CLAIMS_LAB_H
#define REPORT_TESTS_CLAIMS_LAB_H

#include "report/claims.h"

#include <jansson.h>

/* Before and after each test. */
void claims_make_lab(void);
void claims_remove_lab(void);

/* The exit code. The arguments end with NULL. */
int claims_run(const struct claim_suite *suite, const char *threads, const char *const *arguments);
#define RUN(suite, threads, ...) claims_run(suite, threads, (const char *const[]){__VA_ARGS__, NULL})

char *claims_said(void);                               /* what the last run said on either output; the caller's */
json_t *claims_result(const char *name);               /* a file that it left beside the lab; the caller's */
const char *claims_path(char *path, const char *name); /* where that is; path holds FILE_PATH bytes */

#endif
