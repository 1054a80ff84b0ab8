/* one_way.c: one-way numbers, by crypt(3). */
#include "base/one_way.h"

#include "base/error.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t one_way(const char *what, uint64_t value, uint32_t part)
{
    static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char phrase[100];
    uint64_t out = 0;
    struct crypt_data *data = calloc(1, sizeof *data);
    snprintf(phrase, sizeof phrase, "%.40s %llu %u", what, (unsigned long long)value, part);
    const char *hash = data ? crypt_r(phrase, "$5$faultline$", data) : NULL;
    const char *digit = hash && hash[0] == '$' ? strrchr(hash, '$') + 1 : "";
    if (strlen(digit) < 10)
        error_exit(EXIT_CANNOT_TELL,
                   "the C library makes no SHA-256 hash of a password (crypt), so there are no secret "
                   "seeds");
    for (int i = 0; i < 10; i++)
        out = out << 6 | (uint64_t)(strchr(digits, digit[i]) - digits);
    free(data);
    return out;
}
