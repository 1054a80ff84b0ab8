/* svg.c: a walk over gnuplot's SVG, tag by tag.
 *
 * gnuplot paints for white paper: black text, colours as attributes, ids (of the point shapes) that are the same in
 * every drawing, a font by name. On the walk each attribute gets what a page needs:
 *
 *     black                          -> currentColor: the colour of the text around
 *     one of svg_colour              -> currentColor, and a class that sets the colour, for light and for dark
 *     id="x", href="#x"              -> the same with the drawing's name in front
 *     font-family, class             -> left out: the page's font, our classes
 *
 * and white blots behind points, filters, empty groups, gnuplot's titles and the XML header are left out. The rest is
 * copied. Nothing here depends on how gnuplot lays its drawing out, only on SVG being tags with quoted attributes, so
 * that releases may differ.
 */
#include "report/svg.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Hues that the common forms of colour blindness keep apart (after Okabe and Ito), here only as marks; the style below
 * says what is seen. */
const uint32_t svg_colour[SVG_COLOURS] = {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9};
const uint32_t svg_grid_colour = 0x808080, svg_mark_colour = 0x606060;

/* The same in every drawing, so that it does not matter which one of a page's drawings sets it. As a file of its own a
 * drawing has paper of its own. */
static const char style[] =
    "<style>.fl-plot text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}"
    ".fl-0{color:#0060a8}.fl-1{color:#c44e00}.fl-2{color:#00795a}.fl-3{color:#a8447c}.fl-4{color:#8f6a00}.fl-5{color:#"
    "4a525a}.fl-grid{color:#80808059}.fl-mark{color:#6a747e}"
    ":root.fl-plot{color:#1c2126;background:#fff}"
    "@media screen and "
    "(prefers-color-scheme:dark){.fl-0{color:#6cb6ff}.fl-1{color:#ff9e5e}.fl-2{color:#4fd1a5}.fl-3{color:#e79ac4}.fl-4{"
    "color:#e0b93f}"
    ".fl-5{color:#c2c8ce}.fl-mark{color:#98a3ad}:root.fl-plot{color:#e3e7ea;background:#14181c}}</style>\n";

void svg_escape(FILE *out, const char *text)
{
    for (const char *p = text ? text : ""; *p; p++) {
        unsigned char c = (unsigned char)*p;
        const char *as = c == '&'    ? "&amp;"
                         : c == '<'  ? "&lt;"
                         : c == '>'  ? "&gt;"
                         : c == '"'  ? "&quot;"
                         : c == '\'' ? "&#39;"
                                     : NULL;
        if (as)
            fputs(as, out);
        else
            fputc(c < 0x20 && c != '\n' && c != '\t' ? ' ' : c == 0x7f ? ' ' : c, out);
    }
}

/* ---- what was written so far, with the groups that are open ---- */

struct writer {
    char *data;
    size_t size, room;
    struct {
        size_t start, content; /* where its tag starts and where its content does */
    } group[64];
    int open;
    const char *name;
};

static void append(struct writer *w, const char *text, size_t size)
{
    if (w->size + size + 1 > w->room) {
        w->room = 2 * (w->size + size + 1);
        w->data = xrealloc(w->data, w->room, 1);
    }
    memcpy(w->data + w->size, text, size);
    w->size += size;
    w->data[w->size] = '\0';
}

static void append_text(struct writer *w, const char *text)
{
    append(w, text, strlen(text));
}

/* A group with nothing in it disappears. */
static void end_group(struct writer *w)
{
    if (w->open == 0)
        return;
    size_t start = w->group[--w->open].start, content = w->group[w->open].content;
    if (strspn(w->data + content, " \t\r\n") == w->size - content) {
        w->size = start;
        w->data[start] = '\0';
    } else
        append_text(w, "</g>");
}

/* ---- attributes ---- */

struct attribute {
    const char *name, *value;
    size_t name_size, value_size;
};

/* The next attribute of a tag, from *p on; false at the tag's end. */
static bool next_attribute(const char **p, const char *end, struct attribute *a)
{
    while (*p < end && strchr(" \t\r\n/", **p))
        ++*p;
    a->name = *p;
    while (*p < end && **p != '=')
        ++*p;
    a->name_size = (size_t)(*p - a->name);
    if (*p + 1 >= end || ((*p)[1] != '"' && (*p)[1] != '\''))
        return false;
    char quote = (*p)[1];
    a->value = *p += 2;
    while (*p < end && **p != quote)
        ++*p;
    a->value_size = (size_t)(*p - a->value);
    return (*p)++ < end;
}

static bool is(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && memcmp(text, word, size) == 0;
}

enum { GRID = -1, MARK = -2, FOREIGN = -3 };

/* Which colour of ours a value is: a series', or one of the above. */
static int which_colour(const struct attribute *a)
{
    unsigned r, g, b;
    char text[32];
    snprintf(text, sizeof text, "%.*s", a->value_size < 31 ? (int)a->value_size : 31, a->value);
    if (sscanf(text, "rgb(%u,%u,%u)", &r, &g, &b) != 3 && sscanf(text, "#%2x%2x%2x", &r, &g, &b) != 3)
        return FOREIGN;
    uint32_t rgb = r << 16 | g << 8 | b;
    for (int i = 0; i < SVG_COLOURS; i++)
        if (svg_colour[i] == rgb)
            return i;
    return rgb == svg_grid_colour ? GRID : rgb == svg_mark_colour ? MARK : FOREIGN;
}

static void append_attribute(struct writer *w, const struct attribute *a, int *colour)
{
    bool link = is(a->name, a->name_size, "xlink:href") || is(a->name, a->name_size, "href");
    if (is(a->name, a->name_size, "font-family") || is(a->name, a->name_size, "class") || (link && *a->value != '#'))
        return;
    append_text(w, " ");
    append(w, link ? "href" : a->name, link ? 4 : a->name_size);
    append_text(w, "=\"");
    if (link || is(a->name, a->name_size, "id")) {
        append_text(w, link ? "#" : "");
        append_text(w, w->name);
        append_text(w, "-");
        append(w, a->value + link, a->value_size - link);
    } else if (is(a->value, a->value_size, "black"))
        append_text(w, "currentColor");
    else if (is(a->value, a->value_size, "white"))
        append_text(w, "none");
    else {
        int found = which_colour(a);
        *colour = found != FOREIGN ? found : *colour;
        if (found != FOREIGN)
            append_text(w, "currentColor");
        else
            append(w, a->value, a->value_size);
    }
    append_text(w, "\"");
}

/* A white thing is a blot that sets a point off from the line below it, for white paper only. */
static bool is_blot(const char *tag, const char *end)
{
    struct attribute a;
    for (const char *p = tag + strcspn(tag, " \t\r\n>"); next_attribute(&p, end, &a);)
        if (is(a.name, a.name_size, "color") && is(a.value, a.value_size, "white") && strncmp(tag, "<g", 2) != 0)
            return true;
    return false;
}

static void append_tag(struct writer *w, const char *tag, const char *end)
{
    size_t start = w->size, name = strcspn(tag, " \t\r\n/>");
    int colour = FOREIGN;
    struct attribute a;
    append(w, tag, name);
    for (const char *p = tag + name; next_attribute(&p, end, &a);)
        append_attribute(w, &a, &colour);
    char class[32] = "";
    if (colour >= 0)
        snprintf(class, sizeof class, " class=\"fl-%d\"", colour);
    else if (colour != FOREIGN)
        snprintf(class, sizeof class, " class=\"fl-%s\"", colour == GRID ? "grid" : "mark");
    append_text(w, class);
    append_text(w, end[-1] == '/' ? "/>" : ">");
    if (is(tag, name, "<g") && end[-1] != '/' && w->open < 64) {
        w->group[w->open].start = start;
        w->group[w->open++].content = w->size;
    }
}

/* ---- the walk ---- */

/* Where what begins with `tag` and is left out ends, or NULL when it is not left out. */
static const char *skip(const char *tag, const char *end)
{
    static const char *const whole[] = {"title", "desc", "filter", "style", "script"};
    if (tag[1] == '?' || tag[1] == '!')
        return end + 1;
    for (size_t i = 0; i < COUNT(whole); i++) {
        size_t n = strlen(whole[i]);
        if (strncmp(tag + 1, whole[i], n) == 0 && strchr(" \t\r\n>", tag[1 + n])) {
            char close[16];
            snprintf(close, sizeof close, "</%s>", whole[i]);
            const char *found = strstr(end, close);
            return found ? found + strlen(close) : NULL;
        }
    }
    return is_blot(tag, end) ? end + 1 : NULL;
}

/* The end of a tag: a '>' outside quotes. */
static const char *tag_end(const char *p)
{
    for (char quote = 0; *p; p++) {
        if (quote ? *p == quote : *p == '>')
            quote = 0;
        else if (!quote && (*p == '"' || *p == '\''))
            quote = *p;
        else
            continue;
        if (*p == '>')
            return p;
    }
    return NULL;
}

static bool walk(struct writer *w, const char *p)
{
    for (;;) {
        const char *tag = strchr(p, '<'), *end = tag ? tag_end(tag) : NULL;
        if (!end)
            return false;
        append(w, p, (size_t)(tag - p));
        const char *behind = skip(tag, end);
        p = behind ? behind : end + 1;
        if (behind)
            continue;
        if (strncmp(tag, "</svg", 5) == 0)
            return true;
        if (strncmp(tag, "</g>", 4) == 0)
            end_group(w);
        else if (tag[1] == '/')
            append(w, tag, (size_t)(end + 1 - tag));
        else
            append_tag(w, tag, end);
    }
}

/* The root's start tag, title, description and style. NULL without memory. */
static char *opening(const char *root, const char *end, const char *name, const char *title, const char *description)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct attribute a;
    if (!out)
        return NULL;
    fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"fl-plot\"");
    for (const char *p = root + 4; next_attribute(&p, end, &a);)
        if (is(a.name, a.name_size, "viewBox"))
            fprintf(out, " viewBox=\"%.*s\"", (int)a.value_size, a.value);
    fprintf(out,
            " role=\"img\" aria-labelledby=\"%s-title %s-desc\" fill=\"none\" color=\"currentColor\">\n<title "
            "id=\"%s-title\">",
            name, name, name);
    svg_escape(out, title);
    fprintf(out, "</title>\n<desc id=\"%s-desc\">", name);
    svg_escape(out, description);
    fprintf(out, "</desc>\n%s", style);
    fclose(out);
    return text;
}

char *svg_adapt(const char *drawing, const char *name, const char *title, const char *description)
{
    const char *root = strstr(drawing, "<svg"), *end = root ? tag_end(root) : NULL;
    if (!end)
        return NULL;
    struct writer w = {.name = name};
    char *head = opening(root, end, name, title, description);
    if (!head)
        return NULL;
    append_text(&w, head);
    free(head);
    if (!walk(&w, end + 1)) {
        free(w.data);
        return NULL;
    }
    append_text(&w, "</svg>\n");
    return w.data;
}
