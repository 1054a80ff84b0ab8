/* one_way.h: numbers from which nobody can work out what they were made of. */
#ifndef BASE_ONE_WAY_H
#define BASE_ONE_WAY_H

#include <stdint.h>

/* 60 bits of a password's hash (SHA-256, 5,000 rounds) of "what value part": some milliseconds. Ends the program with
 * exit code 3 where the C library has no such hash. */
uint64_t one_way(const char *what, uint64_t value, uint32_t part);

#endif
