/* markup.c: is a text well-formed XML, or HTML written like it? For tests. */
#include "report/tests/markup.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

#define DEPTH 200
#define IDS   500

struct name {
    const char *text;
    size_t size;
};

struct checker {
    struct name open[DEPTH], id[IDS];
    size_t depth, ids;
    bool html;
    char *why;
    size_t size;
};

static bool wrong(struct checker *c, const char *what, const char *where)
{
    snprintf(c->why, c->size, "%s at \"%.60s\"", what, where);
    return false;
}

static bool same(struct name a, struct name b)
{
    return a.size == b.size && memcmp(a.text, b.text, a.size) == 0;
}

/* Text or attribute value up to end: '&' only as a reference, no '<'. */
static bool good_text(struct checker *c, const char *p, const char *end)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&nbsp;"};
    for (; p < end; p++) {
        bool reference = *p != '&';
        for (size_t i = 0; i < COUNT(known); i++)
            reference = reference || (strncmp(p, known[i], strlen(known[i])) == 0 && (c->html || i != 5));
        if (!reference || *p == '<')
            return wrong(c, "a bare & or <", p);
        if ((unsigned char)*p < 0x20 && !strchr("\n\t\r", *p))
            return wrong(c, "a control character", p);
    }
    return true;
}

static bool good_id(struct checker *c, struct name id)
{
    for (size_t i = 0; i < c->ids; i++)
        if (same(c->id[i], id))
            return wrong(c, "an id twice", id.text);
    if (c->ids == IDS)
        return wrong(c, "too many ids", id.text);
    c->id[c->ids++] = id;
    return true;
}

static bool good_attributes(struct checker *c, const char *p, const char *end)
{
    struct name seen[40];
    size_t n = 0;
    for (;;) {
        p += strspn(p, " \t\r\n");
        if (p >= end || *p == '/')
            return true;
        struct name name = {p, strcspn(p, "= >")};
        p += name.size;
        if (*p != '=' || (p[1] != '"' && p[1] != '\''))
            return wrong(c, "an attribute without a quoted value", name.text);
        const char *value = p + 2, *close = strchr(value, p[1]);
        if (!close || close > end || !good_text(c, value, close))
            return *c->why ? false : wrong(c, "an open quote", name.text);
        for (size_t i = 0; i < n; i++)
            if (same(seen[i], name))
                return wrong(c, "an attribute twice", name.text);
        if (n == COUNT(seen))
            return wrong(c, "too many attributes", name.text);
        seen[n++] = name;
        if (name.size == 2 && strncmp(name.text, "id", 2) == 0 &&
            !good_id(c, (struct name){value, (size_t)(close - value)}))
            return false;
        p = close + 1;
    }
}

static const char *end_of_tag(const char *p)
{
    for (char quote = 0; *p; p++) {
        if (quote)
            quote = *p == quote ? '\0' : quote;
        else if (*p == '"' || *p == '\'')
            quote = *p;
        else if (*p == '>')
            return p;
    }
    return NULL;
}

static bool good_tag(struct checker *c, const char *tag, const char *end)
{
    static const char *const empty[] = {"meta", "br", "hr", "img", "link", "input"};
    bool close = tag[1] == '/';
    struct name name = {tag + 1 + close, strcspn(tag + 1 + close, " \t\r\n/>")};
    if (close) {
        if (c->depth == 0 || !same(c->open[c->depth - 1], name))
            return wrong(c, "an end tag that fits no start tag", tag);
        c->depth--;
        return true;
    }
    if (!good_attributes(c, name.text + name.size, end))
        return false;
    bool alone = end[-1] == '/';
    for (size_t i = 0; i < COUNT(empty); i++)
        alone = alone || (c->html && same(name, (struct name){empty[i], strlen(empty[i])}));
    if (alone)
        return true;
    if (c->depth == DEPTH)
        return wrong(c, "too deep", tag);
    c->open[c->depth++] = name;
    return true;
}

bool markup_is_good(const char *text, bool html, char *why, size_t size)
{
    struct checker c = {.html = html, .why = why, .size = size};
    *why = '\0';
    for (const char *p = text;;) {
        const char *tag = strchr(p, '<');
        bool raw = c.depth && same(c.open[c.depth - 1], (struct name){"style", 5});
        if (!raw && !good_text(&c, p, tag ? tag : p + strlen(p)))
            return false;
        if (!tag)
            return c.depth == 0 || wrong(&c, "never closed", c.open[c.depth - 1].text);
        const char *end = end_of_tag(tag);
        if (!end)
            return wrong(&c, "a tag without end", tag);
        bool declaration = (html && strncmp(tag, "<!DOCTYPE", 9) == 0) || (!html && strncmp(tag, "<?xml", 5) == 0);
        if (!declaration && !good_tag(&c, tag, end))
            return false;
        p = end + 1;
    }
}

const char *markup_fetches(const char *text)
{
    static const char *const never[] = {" src=",   "url(",    "@import", "<script",   "<link",
                                        "<iframe", "<object", "<embed",  "xlink:href"};
    static const char *const fine[] = {"#", "claims.json\"", "claims.csv\"", "costs-01.json\"", "costs-01.csv\""};
    for (size_t i = 0; i < COUNT(never); i++)
        if (strstr(text, never[i]))
            return strstr(text, never[i]);
    for (const char *p = text; (p = strstr(p, "href=\"")); p++) {
        bool good = false;
        for (size_t i = 0; i < COUNT(fine); i++)
            good = good || strncmp(p + 6, fine[i], strlen(fine[i])) == 0;
        if (!good)
            return p;
    }
    return NULL;
}

size_t markup_count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, part)); p += strlen(part))
        n++;
    return n;
}
