/* number.c: a figure as people read it. */
#include "report/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DIGITS 7

static int magnitude(double x)
{
    return (int)floor(log10(fabs(x)));
}

static void drop_zeros(char *text)
{
    if (!strchr(text, '.'))
        return;
    char *end = text + strlen(text);
    while (end[-1] == '0')
        *--end = '\0';
    if (end[-1] == '.')
        end[-1] = '\0';
}

/* Commas between the digits of the integer part, from five digits on. */
static void set_commas(char *out, const char *digits)
{
    size_t sign = *digits == '-', whole = strcspn(digits + sign, ".e"), used = 0;
    for (size_t i = 0; digits[i]; i++) {
        size_t left = sign + whole > i ? sign + whole - i : 0;
        if (whole > 4 && i > sign && left > 0 && left % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
}

const char *number_text(char *out, double value, double spread)
{
    char text[NUMBER_TEXT];
    if (!isfinite(value)) {
        snprintf(out, NUMBER_TEXT, "%s", isnan(value) ? "n/a" : value > 0 ? "infinite" : "-infinite");
        return out;
    }
    if (fabs(value) >= 1e15 || (value != 0 && fabs(value) < 1e-5 && !(spread > fabs(value)))) {
        snprintf(out, NUMBER_TEXT, "%.4g", value);
        return out;
    }
    int enough = value != 0 ? DIGITS - 1 - magnitude(value) : 0;
    int decimals = isfinite(spread) && spread > 0 ? 1 - magnitude(spread) : enough + 1;
    snprintf(text, sizeof text, "%.*f", decimals < 0 || enough < 0 ? 0 : decimals < enough ? decimals : enough, value);
    if (decimals > enough)
        drop_zeros(text);
    set_commas(out, strcmp(text, "-0") == 0 ? "0" : text);
    return out;
}

bool number_is_exact(double tolerance, double value)
{
    return tolerance <= 1e-8 * fabs(value);
}

double number_of(const json_t *json)
{
    return json_is_number(json) ? json_number_value(json) : (double)NAN;
}
