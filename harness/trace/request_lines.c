/* request_lines.c: a line of each form of text, as a request. */
#include "trace/request_lines.h"

#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define NS_PER_S      UINT64_C(1000000000)
#define LATEST_S      UINT64_C(16725225600) /* 2500-01-01: nanoseconds since 1970 have room for it */
#define MOST_BLOCKS   (UINT64_C(1) << 20)
#define LONGEST_SHOWN 60
#define MOST_FIELDS   16

static uint64_t hashed(const char *text, size_t size)
{
    return XXH3_64bits(text, size);
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* Decimal digits and nothing else. */
static int number(const char *text, const char *what, uint64_t most, uint64_t *value, struct error *err)
{
    char shown[LONGEST_SHOWN];
    uint64_t n = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++) {
        const unsigned digit = (unsigned)(*p - '0');
        if (n > (most - digit) / 10)
            return error_set(err, -EINVAL, "%s is %s, and %llu is the most", what,
                             text_clean_line(shown, sizeof shown, text), (unsigned long long)most);
        n = 10 * n + digit;
    }
    if (p == text || *p)
        return error_set(err, -EINVAL, "%s is \"%s\", not a number from 0 to %llu", what,
                         text_clean_line(shown, sizeof shown, text), (unsigned long long)most);
    *value = n;
    return 0;
}

static int number32(const char *text, const char *what, uint32_t *value, struct error *err)
{
    uint64_t n = 0;
    const int code = number(text, what, UINT32_MAX, &n, err);
    *value = (uint32_t)n;
    return code;
}

/* Cuts a line at each comma; how many fields it has, those beyond `most` counted but not kept. */
static int split(char *line, char **field, int most)
{
    int n = 0;
    for (char *p = line; p; n++) {
        if (n < most)
            field[n] = p;
        p = strchr(p, ',');
        if (p)
            *p++ = '\0';
    }
    return n;
}

/* ---- with costs -------------------------------------------------------------------------------------------------- */

static const char *const column_name[] = {"time_us", "key", "size", "cost_us", "ttl_s", NULL};

int request_columns_read(char *names, struct request_columns *c, struct error *err)
{
    char *field[MOST_FIELDS], shown[LONGEST_SHOWN];
    c->count = split(names, field, MOST_FIELDS);
    for (int k = 0; k < COLUMNS; k++)
        c->at[k] = -1;
    for (int i = 0; i < c->count && i < MOST_FIELDS; i++) {
        int k = 0;
        while (k < COLUMNS && strcmp(field[i], column_name[k]) != 0)
            k++;
        if (k == COLUMNS)
            return error_set(err, -EINVAL,
                             "column %d is called \"%s\", and known are time_us, key, size, cost_us, ttl_s", i + 1,
                             text_clean_line(shown, sizeof shown, field[i]));
        if (c->at[k] >= 0)
            return error_set(err, -EINVAL, "there are two columns %s", column_name[k]);
        c->at[k] = i;
    }
    return c->at[COLUMN_KEY] < 0 ? error_set(err, -EINVAL, "there is no column called key") : 0;
}

int request_line_costs(char *line, const struct request_columns *c, struct request_record *r, struct error *err)
{
    char *field[MOST_FIELDS];
    const int n = split(line, field, MOST_FIELDS);
    uint64_t time_us = 0;
    if (n != c->count)
        return error_set(err, -EINVAL, "it has %d fields, and the first line names %d columns", n, c->count);
    const char *const key = field[c->at[COLUMN_KEY]];
    if (!*key)
        return error_set(err, -EINVAL, "the key is empty");
    *r = (struct request_record){.key = hashed(key, strlen(key)), .read = true, .cost = c->at[COLUMN_COST] >= 0};
    int code = 0;
    if (c->at[COLUMN_TIME] >= 0)
        code = number(field[c->at[COLUMN_TIME]], "time_us", LATEST_S * 1000000, &time_us, err);
    if (code == 0 && c->at[COLUMN_SIZE] >= 0)
        code = number32(field[c->at[COLUMN_SIZE]], "size", &r->size, err);
    if (code == 0 && c->at[COLUMN_COST] >= 0)
        code = number32(field[c->at[COLUMN_COST]], "cost_us", &r->cost_us, err);
    if (code == 0 && c->at[COLUMN_TTL] >= 0)
        code = number32(field[c->at[COLUMN_TTL]], "ttl_s", &r->ttl_s, err);
    r->time_ns = time_us * 1000;
    return code;
}

/* ---- Twitter ----------------------------------------------------------------------------------------------------- */

enum { SIDE = 5 }; /* fields behind the key, which may have commas itself */

static bool is_operation(const char *word, bool *read)
{
    static const char *const operations[] = {"get",    "gets",    "set",    "add",  "replace", "cas",
                                             "append", "prepend", "delete", "incr", "decr",    NULL};
    int i = 0;
    while (operations[i] && strcmp(word, operations[i]) != 0)
        i++;
    *read = i < 2;
    return operations[i] != NULL;
}

int request_line_twitter(char *line, struct request_record *r, struct error *err)
{
    static const char *const what[SIDE] = {"field 3 (key size)", "field 4 (value size)", "field 5 (client)",
                                           "field 6 (operation)", "field 7 (TTL)"};
    char *field[SIDE], *key = strchr(line, ','), shown[LONGEST_SHOWN];
    uint32_t key_size = 0, value_size = 0;
    uint64_t seconds = 0;
    int fields = 1;
    for (const char *p = line; *p; p++)
        fields += *p == ',';
    if (fields < 2 + SIDE)
        return error_set(err, -EINVAL, "it has %d fields, not 7", fields);
    *key++ = '\0';
    for (int i = SIDE; i-- > 0;) {
        char *const comma = strrchr(key, ',');
        *comma = '\0';
        field[i] = comma + 1;
    }
    *r = (struct request_record){.key = hashed(key, strlen(key))};
    int code = number(line, "field 1 (timestamp)", LATEST_S, &seconds, err);
    if (code == 0 && !*key)
        code = error_set(err, -EINVAL, "field 2 (key) is empty");
    if (code == 0)
        code = number32(field[0], what[0], &key_size, err);
    if (code == 0)
        code = number32(field[1], what[1], &value_size, err);
    if (code == 0 && !is_operation(field[3], &r->read))
        code = error_set(err, -EINVAL, "%s is \"%s\", which is none of memcached's", what[3],
                         text_clean_line(shown, sizeof shown, field[3]));
    if (code == 0)
        code = number32(field[4], what[4], &r->ttl_s, err);
    if (code == 0 && key_size > UINT32_MAX - value_size)
        code = error_set(err, -EINVAL, "key and value have %u and %u bytes, and 4294967295 are the most", key_size,
                         value_size);
    r->time_ns = seconds * NS_PER_S;
    r->size = value_size ? key_size + value_size : 0; /* of a read that found nothing, none is known */
    return code;
}

/* ---- ARC --------------------------------------------------------------------------------------------------------- */

int request_line_arc(char *line, struct request_blocks *b, struct error *err)
{
    static const char *const what[4] = {"the first number (first block)", "the second number (how many blocks)",
                                        "the third number", "the fourth number (number of the request)"};
    uint64_t value[4] = {0};
    char *more = NULL;
    int n = 0;
    for (char *word = strtok_r(line, " \t", &more); word; word = strtok_r(NULL, " \t", &more), n++)
        if (n < 4) {
            const int code = number(word, what[n], UINT64_MAX, &value[n], err);
            if (code)
                return code;
        }
    if (n != 4)
        return error_set(err, -EINVAL, "it has %d fields, not 4", n);
    if (value[1] == 0 || value[1] > MOST_BLOCKS)
        return error_set(err, -EINVAL, "it asks for %llu blocks; from 1 to %llu are believed",
                         (unsigned long long)value[1], (unsigned long long)MOST_BLOCKS);
    if (value[0] > UINT64_MAX - value[1])
        return error_set(err, -EINVAL, "the last block is beyond 2^64");
    *b = (struct request_blocks){value[0], value[1]};
    return 0;
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

int request_line_key(char *line, bool any, struct request_record *r, struct error *err)
{
    const size_t plain = strcspn(line, " \t,;|");
    if (!any && line[plain])
        return error_set(err, -EINVAL,
                         "a key has no blank, tab, comma, semicolon or bar in it, unless --format keys says so");
    if (!any && strchr("{[<\"#", *line))
        return error_set(err, -EINVAL, "a key does not begin with %c, unless --format keys says so", *line);
    *r = (struct request_record){.key = hashed(line, strlen(line)), .read = true};
    return 0;
}

/* ---- access logs ------------------------------------------------------------------------------------------------- */

/* "0.012" (nginx writes three digits), or with its name before it and quotes round it. Seconds; negative: it is none. */
static double service_time(const char *word, size_t size)
{
    static const char *const names[] = {"rt=", "request_time=", "urt=", "upstream_response_time="};
    bool named = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const size_t n = strlen(names[i]);
        if (size > n && strncmp(word, names[i], n) == 0) {
            named = true;
            word += n;
            size -= n;
            break;
        }
    }
    if (size > 2 && *word == '"' && word[size - 1] == '"') {
        word++;
        size -= 2;
    }
    const size_t whole = strspn(word, "0123456789"), part = whole < size ? strspn(word + whole + 1, "0123456789") : 0;
    if (whole == 0 || whole > 6 || word[whole] != '.' || part == 0 || whole + 1 + part != size || (!named && part != 3))
        return -1;
    return strtod(word, NULL);
}

void request_of_log(const struct access_record *log, struct request_record *r)
{
    *r = (struct request_record){.key = hashed(log->path, log->path_size),
                                 .time_ns = (uint64_t)log->time * NS_PER_S,
                                 .size = (uint32_t)log->bytes,
                                 .read = true};
    for (const char *p = log->rest; *p && !r->cost; p += strcspn(p, " ")) {
        p += strspn(p, " ");
        const double s = service_time(p, strcspn(p, " "));
        r->cost = s >= 0 && s < 4294;
        r->cost_us = r->cost ? (uint32_t)(s * 1e6 + 0.5) : 0;
    }
}
