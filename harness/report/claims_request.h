/* claims_request.h: what a claims program was asked for. */
#ifndef REPORT_CLAIMS_REQUEST_H
#define REPORT_CLAIMS_REQUEST_H

#include "report/claims.h"

#include <stdbool.h>
#include <stdint.h>

struct request {
    const struct claim_suite *suite;
    uint64_t seed;
    const char *out;
    bool *wanted; /* [suite->claims] */
    bool some, broken, seeded, quiet;
};

/* Reads the options into r, which has the suite, the default seed and room for `wanted`. Wrong use ends the program. */
void claims_parse(struct request *r, int argc, char **argv);

#endif
