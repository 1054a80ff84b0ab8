/* text.h: small things about words. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The candidate that was probably meant by `word` (edit distance, swaps counted as one; prefixes count as near), or
 * NULL when none is near. candidates ends with NULL. */
const char *text_nearest(const char *word, const char *const *candidates);

/* Makes foreign text safe, where it enters: out is UTF-8, cut between characters, without what controls a terminal, turns
 * the direction of writing or is not allowed in XML and YAML; each such place becomes a question mark. Newlines and tabs
 * stay; in a line they become blanks. Returns out. */
const char *text_clean(char *out, size_t size, const char *text, size_t length);
const char *text_clean_line(char *out, size_t size, const char *text);

/* Is `name` in "a,b,c"? NULL lists everything. */
bool text_listed(const char *list, const char *name);

/* Values from 0 to `most` as bars of a line, one character each: "▁▃█". Returns out, cut where it is full. */
const char *text_bars(char *out, size_t size, const double *value, size_t n, double most);

/* An unsigned integer, decimal or 0x…, and nothing after it. */
bool text_number(const char *text, uint64_t *value);

/* "64", "64K", "1m" at the beginning of a text: K, M and G are powers of 1,024. How many letters that is, or 0: it
 * begins with no number, or with one above `most`. */
size_t text_scaled(const char *text, uint64_t most, uint64_t *value);

/* "12.3 ms" from nanoseconds; "1.2 MiB" from bytes; "12,345". Each writes into out (TEXT_NUMBER bytes) and returns it.
 */
#define TEXT_NUMBER 40
const char *text_duration(char *out, double nanoseconds);
const char *text_bytes(char *out, double bytes);
const char *text_count(char *out, uint64_t value);

#endif
