/* md5.h: MD5, for those who must agree with others that use it (ketama). Broken as a cryptographic hash since 2004.
 *
 * Source: RFC 1321. Threads: a pure function.
 */
#ifndef MD5_H
#define MD5_H

#include <stddef.h>
#include <stdint.h>

void md5(const void *data, size_t size, uint8_t digest[16]);

#endif
