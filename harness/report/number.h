/* number.h: a figure as people read it.
 *
 * How many digits a figure deserves is said by its spread: 4991.2374 with a tolerance of 52 is 4991, with a tolerance
 * of 0.052 it is 4991.237.
 */
#ifndef REPORT_NUMBER_H
#define REPORT_NUMBER_H

#include <jansson.h>
#include <stdbool.h>

#define NUMBER_TEXT 48

/* `value` with as many decimals as two digits of `spread` have, at most 7 digits in all where the spread is small or 0;
 * then zeros at the end are left out. From five digits on, thousands are set off by commas. "n/a" for what is no
 * number. Writes into out (NUMBER_TEXT bytes) and returns it. */
const char *number_text(char *out, double value, double spread);

/* Whether a tolerance leaves room for rounding only. */
bool number_is_exact(double tolerance, double value);

/* A JSON number; NaN for null and anything else, since JSON has no NaN and a figure that could not be measured is
 * written as null. */
double number_of(const json_t *json);

#endif
