/* access_log.c: reads a web server's access log, line by line, in memory that does not grow with it. */
#include "trace/access_log.h"

#include "trace/line_reader.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct access_log {
    struct line_reader *reader;
    struct access_log_counts counts;
};

/* ---- one line ------------------------------------------------------------------------------------------------------
 */

static int number(const char **at, int digits, int *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return -EINVAL;
        *value = 10 * *value + (**at - '0');
    }
    return 0;
}

static int expect(const char **at, char c)
{
    if (**at != c)
        return -EINVAL;
    (*at)++;
    return 0;
}

static int month_of(const char **at, int *month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++)
        if (strncmp(*at, names + 3 * i, 3) == 0) {
            *month = i;
            *at += 3;
            return 0;
        }
    return -EINVAL;
}

/* Days from 1970-01-01 in the Gregorian calendar (Howard Hinnant's algorithm: years begin in March). */
static int64_t days_since_1970(int year, int month, int day)
{
    int64_t y = month < 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * ((month + 10) % 12) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* "21/Nov/2026:20:38:01 +0000]" */
static int parse_time(const char **at, int64_t *time)
{
    int day, month, year, hour, minute, second, zone_hour, zone_minute;
    if (number(at, 2, &day) || expect(at, '/') || month_of(at, &month) || expect(at, '/') || number(at, 4, &year) ||
        expect(at, ':') || number(at, 2, &hour) || expect(at, ':') || number(at, 2, &minute) || expect(at, ':') ||
        number(at, 2, &second) || expect(at, ' '))
        return -EINVAL;
    int sign = **at == '-' ? -1 : 1;
    if ((**at != '+' && **at != '-') || ((*at)++, number(at, 2, &zone_hour)) || number(at, 2, &zone_minute) ||
        expect(at, ']'))
        return -EINVAL;
    if (day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 || zone_hour > 14 || zone_minute > 59)
        return -EINVAL;
    *time = days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second -
            sign * (zone_hour * 3600 + zone_minute * 60);
    return 0;
}

/* Goes behind a quoted field; a backslash takes the meaning from the character behind it. */
static int skip_quoted(const char **at)
{
    if (expect(at, '"'))
        return -EINVAL;
    for (; **at && **at != '"'; (*at)++)
        if (**at == '\\' && (*at)[1])
            (*at)++;
    return expect(at, '"');
}

static int parse_bytes(const char **at, uint64_t *bytes)
{
    *bytes = 0;
    if (**at == '-') {
        (*at)++;
        return 0;
    }
    char *end;
    if (!isdigit((unsigned char)**at))
        return -EINVAL;
    errno = 0;
    *bytes = strtoull(*at, &end, 10);
    *at = end;
    return errno || *bytes > (1ull << 50) ? -EINVAL : 0;
}

/* The second word of the request, or all of it when it has one only (servers log what they were sent). */
static void find_path(const char *request, struct access_record *record)
{
    const char *end = request;
    while (*end != '"')
        end += *end == '\\' && end[1] ? 2 : 1;
    const char *blank = memchr(request, ' ', (size_t)(end - request));
    record->method = request;
    record->method_size = blank ? (size_t)(blank - request) : 0;
    record->path = blank ? blank + 1 : request;
    const char *more = memchr(record->path, ' ', (size_t)(end - record->path));
    record->path_size = (size_t)((more ? more : end) - record->path);
}

int access_log_parse(char *line, struct access_record *record)
{
    char *space = strchr(line, ' ');
    if (!space || space == line)
        return -EINVAL;
    *space = '\0';
    record->client = line;
    /* Identity and user stand between client and time; a user name may have blanks, a bracket has none. */
    const char *at = strchr(space + 1, '[');
    int status;
    if (!at || at - space < 4)
        return -EINVAL;
    at++;
    if (parse_time(&at, &record->time) || expect(&at, ' '))
        return -EINVAL;
    const char *request = at;
    if (skip_quoted(&at) || expect(&at, ' ') || number(&at, 3, &status) || status < 100 || expect(&at, ' ') ||
        parse_bytes(&at, &record->bytes))
        return -EINVAL;
    record->status = (uint32_t)status;
    find_path(request + 1, record);
    record->rest = at;
    if (*at == '\0')
        return 0;
    /* Combined: referrer and agent. Some servers add fields of their own behind them. */
    if (expect(&at, ' ') || skip_quoted(&at) || expect(&at, ' ') || skip_quoted(&at))
        return -EINVAL;
    record->rest = at;
    return *at == '\0' || *at == ' ' ? 0 : -EINVAL;
}

/* ---- the file -------------------------------------------------------------------------------------------------------
 */

int access_log_open(const char *path, struct access_log **out, struct error *err)
{
    struct access_log *log = calloc(1, sizeof *log);
    if (!log)
        return error_set(err, -ENOMEM, "%s: out of memory", path);
    int code = line_reader_open(path, &log->reader, err);
    if (code)
        free(log);
    else
        *out = log;
    return code;
}

void access_log_close(struct access_log *log)
{
    if (!log)
        return;
    line_reader_close(log->reader);
    free(log);
}

struct access_log_counts access_log_counts(const struct access_log *log)
{
    return log->counts;
}

int access_log_next(struct access_log *log, struct access_record *record, struct error *err)
{
    char *line;
    bool whole;
    int code;
    while ((code = line_reader_next(log->reader, &line, &whole, err)) == 1) {
        log->counts.lines++;
        if (whole && access_log_parse(line, record) == 0)
            return 1;
        if (log->counts.malformed < ACCESS_LOG_SHOWN)
            log->counts.first_malformed[log->counts.malformed] = log->counts.lines;
        log->counts.malformed++;
    }
    return code;
}
