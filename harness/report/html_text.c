/* html_text.c: text on the page. Everything that comes from outside goes through here, so through svg_escape. */
#include "report/html.h"

#include "report/svg.h"

#include <ctype.h>
#include <string.h>

const char *html_member(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value ? value : "";
}

const char *html_plot_name(char *out, const json_t *lab, const char *kind, const json_t *plot)
{
    int n = snprintf(out, HTML_NAME, "%.20s-%s%.80s", html_member(lab, "lab"), kind, html_member(plot, "id"));
    for (int i = 0; i < n; i++)
        if (!isalnum((unsigned char)out[i]))
            out[i] = '-';
    return out;
}

void html_put(FILE *out, const char *before, const char *text, const char *after)
{
    fputs(before, out);
    svg_escape(out, text);
    fputs(after, out);
}

void html_prose(FILE *out, const char *before, const char *text, const char *after)
{
    char part[1024];
    bool code = false;
    fputs(before, out);
    for (const char *p = text ? text : ""; *p; p += *p == '`') {
        size_t n = strcspn(p, "`");
        for (; n > 0; p += strlen(part), n -= strlen(part)) {
            snprintf(part, sizeof part, "%.*s", (int)(n < 1000 ? n : 1000), p);
            svg_escape(out, part);
        }
        bool toggle = *p == '`' && (code || strchr(p + 1, '`'));
        if (toggle)
            fputs((code = !code) ? "<code>" : "</code>", out);
        else if (*p)
            fputc('`', out);
    }
    fputs(after, out);
}
