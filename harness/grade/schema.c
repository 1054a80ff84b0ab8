/* schema.c: checks a JSON object against a table of fields. */
#include "grade/schema.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WHERE 256

static bool is_name(const char *s)
{
    if (*s < 'a' || *s > 'z')
        return *s >= '0' && *s <= '9' && strspn(s, "0123456789") == strlen(s);
    return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(s) && s[strlen(s) - 1] != '-' &&
           !strstr(s, "--");
}

static bool is_file(const char *s)
{
    return *s && *s != '.' && !strchr(s, '/') && strlen(s) < 100;
}

static int check_text(const json_t *value, enum field_type type, const char *where, struct error *err)
{
    const char *s = json_string_value(value);
    if (!s || !*s)
        return error_set(err, -EINVAL, "%s: must be a text that is not empty", where);
    if (type == FIELD_NAME && !is_name(s))
        return error_set(err, -EINVAL, "%s: \"%.60s\" is no name: lower-case letters, digits and single hyphens", where,
                         s);
    if ((type == FIELD_FILE || type == FIELD_FILES) && !is_file(s))
        return error_set(err, -EINVAL, "%s: \"%.60s\" must be a plain file name, without a folder", where, s);
    return 0;
}

static int check_list(const json_t *value, const struct field *f, const char *where, struct error *err)
{
    size_t n = json_array_size(value);
    if (!json_is_array(value) || n < (size_t)f->low || n > (size_t)f->high) {
        if (f->low == f->high)
            return error_set(err, -EINVAL, "%s: must be a list of %lld", where, (long long)f->low);
        return error_set(err, -EINVAL, "%s: must be a list of %lld to %lld", where, (long long)f->low,
                         (long long)f->high);
    }
    for (size_t i = 0; i < n; i++) {
        char item[WHERE];
        snprintf(item, sizeof item, "%.200s[%zu]", where, i);
        const json_t *v = json_array_get(value, i);
        int code = 0;
        if (f->type == FIELD_OBJECTS)
            code = schema_check(v, f->fields, item, err);
        else if (f->type == FIELD_INTEGERS)
            code = json_is_integer(v) && json_integer_value(v) >= 0
                       ? 0
                       : error_set(err, -EINVAL, "%s: must be an integer of 0 or more", item);
        else
            code = check_text(v, f->type, item, err);
        if (code)
            return code;
    }
    return 0;
}

static int check_field(const json_t *value, const struct field *f, const char *where, struct error *err)
{
    switch (f->type) {
    case FIELD_INTEGER:
        if (!json_is_integer(value) || json_integer_value(value) < f->low || json_integer_value(value) > f->high)
            return error_set(err, -EINVAL, "%s: must be an integer from %lld to %lld", where, (long long)f->low,
                             (long long)f->high);
        return 0;
    case FIELD_POSITIVE:
        return json_number_value(value) > 0 ? 0 : error_set(err, -EINVAL, "%s: must be a number above 0", where);
    case FIELD_BOOLEAN:
        return json_is_boolean(value) ? 0 : error_set(err, -EINVAL, "%s: must be true or false", where);
    case FIELD_OBJECT:
        return schema_check(value, f->fields, where, err);
    case FIELD_TEXTS:
    case FIELD_FILES:
    case FIELD_INTEGERS:
    case FIELD_OBJECTS:
        return check_list(value, f, where, err);
    default:
        return check_text(value, f->type, where, err);
    }
}

static int check_unknown(const json_t *object, const struct field *fields, const char *prefix, struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const char *known[64];
        size_t n = 0;
        bool found = false;
        for (const struct field *f = fields; f->name; f++) {
            found = found || strcmp(f->name, key) == 0;
            if (n < 63)
                known[n++] = f->name;
        }
        known[n] = NULL;
        const char *meant = found ? NULL : text_nearest(key, known);
        if (!found)
            return error_set(err, -EINVAL, "%s%.60s: is no field of this object%s%s%s", prefix, key,
                             meant ? "; was \"" : "", meant ? meant : "", meant ? "\" meant?" : "");
    }
    return 0;
}

int schema_check(const json_t *object, const struct field *fields, const char *where, struct error *err)
{
    if (!json_is_object(object))
        return error_set(err, -EINVAL, "%s: must be an object", *where ? where : "the whole file");
    char prefix[WHERE], path[WHERE + 64];
    snprintf(prefix, sizeof prefix, "%.200s%s", where, *where ? "." : "");
    int code = check_unknown(object, fields, prefix, err);
    for (const struct field *f = fields; f->name && code == 0; f++) {
        snprintf(path, sizeof path, "%s%s", prefix, f->name);
        const json_t *value = json_object_get(object, f->name);
        if (value)
            code = check_field(value, f, path, err);
        else if (f->required)
            code = error_set(err, -EINVAL, "%s: is missing", path);
    }
    return code;
}
