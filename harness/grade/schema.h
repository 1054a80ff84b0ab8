/* schema.h: checks a JSON object against a table of fields, and says of the first that is wrong where it is and what it
 * should be.
 *
 *     static const struct field test_fields[] = {
 *         {"id", FIELD_NAME, .required = true}, {"points", FIELD_INTEGER, .high = 1000}, {NULL}};
 *
 * A field that the table does not know is an error too (with the name that was probably meant), since a misspelt limit
 * that is ignored is worse than none.
 */
#ifndef GRADE_SCHEMA_H
#define GRADE_SCHEMA_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

enum field_type {
    FIELD_TEXT,     /* a string that is not empty */
    FIELD_NAME,     /* kebab case */
    FIELD_FILE,     /* a file name without a folder */
    FIELD_INTEGER,  /* low … high */
    FIELD_POSITIVE, /* a number above 0, whole or not */
    FIELD_BOOLEAN,  /* true or false */
    FIELD_TEXTS,    /* a list of low … high texts */
    FIELD_FILES,    /* a list of low … high file names */
    FIELD_INTEGERS, /* a list of low … high non-negative integers */
    FIELD_OBJECT,   /* with `fields` */
    FIELD_OBJECTS,  /* a list of low … high objects with `fields` */
};

struct field {
    const char *name;
    enum field_type type;
    bool required;
    json_int_t low, high;
    const struct field *fields; /* ends with a NULL name */
};

/* 0 or -EINVAL and "where.field: what is wrong". `where` may be "". */
int schema_check(const json_t *object, const struct field *fields, const char *where, struct error *err);

#endif
