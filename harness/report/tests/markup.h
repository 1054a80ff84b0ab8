/* markup.h: is a text well-formed XML, or HTML written like it? For tests. */
#ifndef REPORT_TESTS_MARKUP_H
#define REPORT_TESTS_MARKUP_H

#include <stdbool.h>
#include <stddef.h>

/* Every tag is closed in the right order, attributes are quoted and stand there once, every '&' starts a reference, ids
 * are unique. html: void elements need no end and <!DOCTYPE> may come first. Else false, and what is wrong in why. */
bool markup_is_good(const char *text, bool html, char *why, size_t size);

/* An attribute (src, href, ...) or CSS url() or @import that would fetch something: where it starts; NULL when there is
 * none. Links to `#x` and to the files beside the page are none. */
const char *markup_fetches(const char *text);

/* How often part occurs in text. */
size_t markup_count(const char *text, const char *part);

#endif
