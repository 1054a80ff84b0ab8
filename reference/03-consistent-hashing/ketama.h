/* ketama.h: what those need who want libketama's answers for names and strings. ketama.c has the essay. */
#ifndef KETAMA_H
#define KETAMA_H

#include <stddef.h>
#include <stdint.h>

#define KETAMA_NAME 24u

/* The name under which a node of that id stands in the list of servers: "10.a.b.c:11211", abc being the id's bytes. */
void ketama_name(uint32_t id, char name[KETAMA_NAME]);

/* libketama's hash of a string: the first four bytes of its MD5, the lowest first. As a key of the map it finds the
 * string's server. */
uint32_t ketama_hash(const void *string, size_t size);

/* How many digests, of four points each, a server of this weight gets among `servers` of `total` weight. */
uint32_t ketama_digests(uint32_t weight, uint64_t total, uint32_t servers);

#endif
