/* recall_text.h: a text as a row of numbers: which word stands where.
 *
 * A word is letters and digits, in lower case, with an apostrophe between two of them; bytes from 0x80 on are letters,
 * but for the punctuation of Unicode. All else separates. The end of a sentence (. ! ? where no letter follows, or an
 * empty line) is a word too: ".", so that whoever writes on knows where to stop. Only ASCII is put into lower case.
 */
#ifndef RECALL_TEXT_H
#define RECALL_TEXT_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define RECALL_END 0u /* the word "." */

struct recall_text {
    uint32_t *token; /* [tokens] the word that stands there */
    size_t tokens;
    uint32_t words; /* different ones, in the order in which they come first; "." is number 0 */
    uint64_t *hash; /* [words] of its letters */
    uint64_t bytes, lines;
    uint64_t cut; /* lines that were too long: the rest of each is left out */

    char *letters; /* of all words, each with a NUL */
    size_t *at;    /* [words] where in them it begins */
    uint32_t *table;
    size_t token_room, word_room, letter_room, letter_end, slots;
};

/* The first `most` words of a file, plain or gzip. 0; -errno and a sentence: it can't be read, has no words, or is no
 * text. */
int recall_text_read(const char *path, uint64_t most, struct recall_text *out, struct error *err);
void recall_text_free(struct recall_text *text);

const char *recall_text_word(const struct recall_text *text, uint32_t word);

/* The words of a sentence, *n of them, into token[room]. -ENOENT: the text has not all of them; -E2BIG. */
int recall_text_find(const struct recall_text *text, const char *sentence, uint32_t *token, size_t room, size_t *n,
                     struct error *err);

#endif
