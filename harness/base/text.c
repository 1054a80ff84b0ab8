/* text.c: small things about words. */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST 63

/* Optimal string alignment distance: insert, delete, replace, swap of neighbours, each 1. */
static int distance(const char *a, const char *b)
{
    int na = (int)strlen(a), nb = (int)strlen(b);
    if (na > LONGEST || nb > LONGEST)
        return 1000;
    int d[LONGEST + 1][LONGEST + 1];
    for (int i = 0; i <= na; i++)
        d[i][0] = i;
    for (int j = 0; j <= nb; j++)
        d[0][j] = j;
    for (int i = 1; i <= na; i++)
        for (int j = 1; j <= nb; j++) {
            int best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1 < best)
                best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best)
                best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    return d[na][nb];
}

const char *text_nearest(const char *word, const char *const *candidates)
{
    const char *best = NULL;
    int best_distance = 1000;
    size_t n = strlen(word);
    for (; *candidates; candidates++) {
        int d = distance(word, *candidates);
        if (n >= 3 && (strncmp(word, *candidates, n) == 0 || strstr(*candidates, word)))
            d = 1;
        if (d < best_distance) {
            best_distance = d;
            best = *candidates;
        }
    }
    return best && best_distance <= 1 + (int)n / 3 ? best : NULL;
}

/* Length of the UTF-8 sequence at p (n bytes left), or 0 when it is none. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    size_t length = p[0] < 0x80                   ? 1
                    : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
                    : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
                    : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                                  : 0;
    if (length == 0 || length > n)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return length;
}

/* Of a sequence of n bytes. Left out are control characters (U+0080 to U+009F too: a terminal may take 0x9b for the start
 * of an escape sequence), what turns the direction of writing, what ends a line under another name, and what is no
 * character: XML and YAML refuse those. */
static bool is_plain(const unsigned char *p, size_t n)
{
    if (n == 1)
        return (p[0] >= 0x20 && p[0] != 0x7f) || p[0] == '\n' || p[0] == '\t';
    uint32_t c = n == 2 ? p[0] & 0x1fu : n == 3 ? p[0] & 0x0fu : p[0] & 0x07u;
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3fu);
    return c >= 0xa0 && c != 0x61c && !(c >= 0x200e && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) &&
           !(c >= 0x2066 && c <= 0x2069) && c != 0xfeff && !(c >= 0xfdd0 && c <= 0xfdef) && (c & 0xfffe) != 0xfffe;
}

const char *text_clean(char *out, size_t size, const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t used = 0;
    for (size_t i = 0; i < length;) {
        size_t n = utf8_length(p + i, length - i);
        bool plain = n && is_plain(p + i, n);
        size_t take = plain ? n : 1;
        if (used + take >= size)
            break;
        if (plain)
            memcpy(out + used, p + i, take);
        else
            out[used] = '?';
        used += take;
        i += n ? n : 1;
    }
    if (size)
        out[used] = '\0';
    return out;
}

const char *text_clean_line(char *out, size_t size, const char *text)
{
    text_clean(out, size, text, strlen(text));
    for (char *p = out; *p; p++)
        if (*p == '\n' || *p == '\t')
            *p = ' ';
    return out;
}

bool text_number(const char *text, uint64_t *value)
{
    if (!text || !isdigit((unsigned char)text[0]))
        return false;
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10);
    if (errno || *end)
        return false;
    *value = v;
    return true;
}

size_t text_scaled(const char *text, uint64_t most, uint64_t *value)
{
    static const char units[] = "kmg";
    const size_t n = strspn(text, "0123456789");
    const char *unit = text[n] ? strchr(units, text[n] | 0x20) : NULL;
    const unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    char digits[24] = "";
    uint64_t number;
    if (n == 0 || n >= sizeof digits)
        return 0;
    memcpy(digits, text, n);
    if (!text_number(digits, &number) || number > most >> shift)
        return 0;
    *value = number << shift;
    return n + (unit != NULL);
}

const char *text_duration(char *out, double ns)
{
    const char *unit[] = {"ns", "us", "ms", "s"};
    int u = 0;
    for (; u < 3 && ns >= 999.95; u++)
        ns /= 1000;
    snprintf(out, TEXT_NUMBER, ns < 10 ? "%.2f %s" : ns < 100 ? "%.1f %s" : "%.0f %s", ns, unit[u]);
    return out;
}

const char *text_bytes(char *out, double bytes)
{
    const char *unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int u = 0;
    for (; u < 4 && bytes >= 1024; u++)
        bytes /= 1024;
    snprintf(out, TEXT_NUMBER, u == 0 ? "%.0f %s" : "%.1f %s", bytes, unit[u]);
    return out;
}

const char *text_count(char *out, uint64_t value)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value), j = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            out[j++] = ',';
        out[j++] = digits[i];
    }
    out[j] = '\0';
    return out;
}

bool text_listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = list; p && *p; p += strcspn(p, ","), p += *p == ',')
        if (strcspn(p, ",") == n && strncmp(p, name, n) == 0)
            return true;
    return !list;
}

const char *text_bars(char *out, size_t size, const double *value, size_t n, double most)
{
    static const char *const bar[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < n && used + 4 <= size; i++) {
        const double eighths = most > 0 && value[i] > 0 ? 8 * value[i] / most : 0;
        const char *c = bar[eighths >= 8 ? 8 : (int)(eighths + 0.5)];
        memcpy(out + used, c, strlen(c) + 1);
        used += strlen(c);
    }
    return out;
}
