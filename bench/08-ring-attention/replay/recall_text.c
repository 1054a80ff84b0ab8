/* recall_text.c: a text as a row of numbers. */
#include "recall_text.h"

#include "trace/line_reader.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define MOST_CONTROL 200 /* one control character in so many bytes, and it is no text */

/* ---- words of a line ---- */

enum kind { LETTER, APOSTROPHE, END, OTHER };

/* What stands at p, and of how many bytes it is. */
static enum kind look(const char *p, size_t *size)
{
    const unsigned char c = (unsigned char)*p;
    *size = 1;
    if (((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9'))
        return LETTER;
    if (c < 0x80)
        return c == '\'' ? APOSTROPHE : c == '.' || c == '!' || c == '?' ? END : OTHER;
    *size = 3;
    if (strncmp(p, "\xE2\x80\x99", 3) == 0) /* U+2019 */
        return APOSTROPHE;
    if ((strncmp(p, "\xE2\x80", 2) == 0 || strncmp(p, "\xE2\x81", 2) == 0 || strncmp(p, "\xE3\x80", 2) == 0) && p[2])
        return OTHER; /* U+2000 to U+207F, U+3000 to U+303F: punctuation */
    if (strncmp(p, "\xEF\xBB\xBF", 3) == 0)
        return OTHER; /* a byte order mark */
    *size = c == 0xC2 && p[1] ? 2 : 1;
    return *size == 2 ? OTHER : LETTER; /* U+0080 to U+00BF: signs */
}

/* The next word of a line, in lower case, in its place; false at the end of the line. */
static bool next(char **line, const char **word, size_t *size)
{
    char *p = *line;
    size_t n, after;
    enum kind kind = OTHER;
    while (*p && (kind = look(p, &n)) != LETTER) {
        p += n;
        if (kind == END && look(p, &after) != LETTER) {
            *word = ".";
            *size = 1;
            *line = p;
            return true;
        }
    }
    char *to = p;
    *word = p;
    for (; *p; p += n) {
        kind = look(p, &n);
        if (kind == LETTER)
            *to++ = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
        else if (kind == APOSTROPHE && look(p + n, &after) == LETTER)
            *to++ = '\'';
        else
            break;
    }
    *size = (size_t)(to - *word);
    *line = p;
    return *size > 0;
}

/* ---- numbers for them ---- */

/* Room for `need` of them, or NULL: then what was there is still there. */
static void *more(void *old, size_t *room, size_t need, size_t each)
{
    if (need <= *room)
        return old;
    size_t now = need > 2 * *room ? need + 1024 : 2 * *room;
    void *all = realloc(old, now * each);
    if (all)
        *room = now;
    return all;
}

const char *recall_text_word(const struct recall_text *t, uint32_t word)
{
    return t->letters + t->at[word];
}

/* Where in the table the word stands, or would. */
static size_t slot(const struct recall_text *t, uint64_t hash, const char *word, size_t size)
{
    size_t i = hash & (t->slots - 1);
    for (; t->table[i]; i = (i + 1) & (t->slots - 1)) {
        const uint32_t there = t->table[i] - 1;
        const char *letters = recall_text_word(t, there);
        if (t->hash[there] == hash && strncmp(letters, word, size) == 0 && letters[size] == '\0')
            break;
    }
    return i;
}

static int enlarge_table(struct recall_text *t)
{
    const size_t slots = t->slots ? 2 * t->slots : 1024;
    uint32_t *table = calloc(slots, sizeof *table);
    if (!table)
        return -ENOMEM;
    free(t->table);
    t->table = table;
    t->slots = slots;
    for (uint32_t w = 0; w < t->words; w++) {
        const char *word = recall_text_word(t, w);
        table[slot(t, t->hash[w], word, strlen(word))] = w + 1;
    }
    return 0;
}

static int number(struct recall_text *t, const char *word, size_t size, uint32_t *out)
{
    const uint64_t hash = XXH3_64bits(word, size);
    if (2 * (size_t)t->words >= t->slots && enlarge_table(t) != 0)
        return -ENOMEM;
    uint32_t *there = &t->table[slot(t, hash, word, size)];
    if (*there == 0) {
        size_t room = t->word_room;
        uint64_t *hashes = more(t->hash, &room, t->words + 1, sizeof *hashes);
        t->hash = hashes ? hashes : t->hash;
        size_t *at = more(t->at, &t->word_room, t->words + 1, sizeof *at);
        t->at = at ? at : t->at;
        char *letters = more(t->letters, &t->letter_room, t->letter_end + size + 1, 1);
        t->letters = letters ? letters : t->letters;
        if (!hashes || !at || !letters || t->words == UINT32_MAX - 1)
            return -ENOMEM;
        memcpy(letters + t->letter_end, word, size);
        letters[t->letter_end + size] = '\0';
        at[t->words] = t->letter_end;
        hashes[t->words] = hash;
        t->letter_end += size + 1;
        *there = ++t->words;
    }
    *out = *there - 1;
    return 0;
}

static int add(struct recall_text *t, const char *word, size_t size)
{
    uint32_t w;
    int code = number(t, word, size, &w);
    if (code || (w == RECALL_END && (t->tokens == 0 || t->token[t->tokens - 1] == RECALL_END)))
        return code;
    uint32_t *token = more(t->token, &t->token_room, t->tokens + 1, sizeof *token);
    if (!token)
        return -ENOMEM;
    t->token = token;
    token[t->tokens++] = w;
    return 0;
}

static int add_line(struct recall_text *t, char *line, uint64_t most)
{
    const char *word;
    size_t size, before = t->tokens;
    bool any = false;
    int code = 0;
    while (code == 0 && t->tokens < most && next(&line, &word, &size)) {
        any = true;
        code = add(t, word, size);
    }
    return code || any || before == most ? code : add(t, ".", 1);
}

/* ---- a file ---- */

static uint64_t controls(const char *line, uint64_t *bytes)
{
    uint64_t n = 0;
    for (const char *p = line; *p; p++) {
        const unsigned char c = (unsigned char)*p;
        n += (c < 0x20 && !strchr("\b\t\v\f\r\x1b", c)) || c == 0x7f;
        ++*bytes;
    }
    return n;
}

static int read_lines(struct line_reader *r, const char *path, uint64_t most, struct recall_text *t, struct error *err)
{
    char *line;
    bool whole;
    int code = add(t, ".", 1), got = 0; /* that makes it number 0, and adds none to the text */
    uint64_t bad = 0, first = 0;
    while (code == 0 && t->tokens < most && (got = line_reader_next(r, &line, &whole, err)) == 1) {
        const uint64_t here = controls(line, &t->bytes);
        bad += here;
        first = first == 0 && here ? line_reader_lines(r) : first;
        t->cut += !whole;
        code = add_line(t, line, most);
    }
    t->lines = line_reader_lines(r);
    if (got < 0)
        return got;
    if (code)
        return error_set(err, code, "%s: out of memory after %zu words", path, t->tokens);
    if (bad * MOST_CONTROL > t->bytes)
        return error_set(err, -EINVAL,
                         "%s: is no text: %llu of %llu bytes looked at are control characters, the first in line %llu. "
                         "Give a plain text, or one packed with gzip",
                         path, (unsigned long long)bad, (unsigned long long)t->bytes, (unsigned long long)first);
    return t->tokens ? 0 : error_set(err, -EINVAL, "%s: has no words", path);
}

int recall_text_read(const char *path, uint64_t most, struct recall_text *out, struct error *err)
{
    struct line_reader *r;
    *out = (struct recall_text){0};
    int code = line_reader_open(path, &r, err);
    if (code)
        return code;
    code = read_lines(r, path, most, out, err);
    line_reader_close(r);
    if (code)
        recall_text_free(out);
    return code;
}

void recall_text_free(struct recall_text *t)
{
    free(t->token), free(t->hash), free(t->letters), free(t->at), free(t->table);
    *t = (struct recall_text){0};
}

int recall_text_find(const struct recall_text *t, const char *sentence, uint32_t *token, size_t room, size_t *n,
                     struct error *err)
{
    char *copy = strdup(sentence), *line = copy, missing[200] = "";
    const char *word;
    size_t size, used = 0;
    int code = 0;
    *n = 0;
    if (!copy)
        return error_set(err, -ENOMEM, "out of memory");
    while (code == 0 && next(&line, &word, &size)) {
        const uint32_t there = t->table[slot(t, XXH3_64bits(word, size), word, size)];
        if (there == 0 && used + size + 5 < sizeof missing)
            used += (size_t)snprintf(missing + used, sizeof missing - used, "%s\"%.*s\"", used ? ", " : "", (int)size,
                                     word);
        else if (there == 0 && used == 0)
            used = (size_t)snprintf(missing, sizeof missing, "\"%.80s...\"", word); /* too long for the sentence */
        if (there == 0 || (there - 1 == RECALL_END && (*n == 0 || token[*n - 1] == RECALL_END)))
            continue;
        if (*n == room)
            code = error_set(err, -E2BIG, "more than %zu words", room);
        else
            token[(*n)++] = there - 1;
    }
    free(copy);
    if (code == 0 && used)
        code = error_set(err, -ENOENT, "the text has no %s", missing);
    return code;
}
