/* Finds the places by libclang's syntax tree, so that comments, macros and tables of functions stay as they are.
 *
 * libclang is large, slow to load and of no use to any other command, so it is loaded when it is asked for. The kinds of
 * change are those that mutation testing found to be enough (Offutt et al., "An experimental determination of sufficient
 * mutant operators", TOSEM 5(2), 1996), and a narrower type besides. */
#include "cli/mutations.h"

#include <errno.h>

#ifdef LIBCLANG

#include <clang-c/Index.h>
#include <ctype.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS(X)                                                                                                   \
    X(createIndex)                                                                                                     \
    X(disposeIndex)                                                                                                    \
    X(parseTranslationUnit)                                                                                            \
    X(disposeTranslationUnit)                                                                                          \
    X(getNumDiagnostics)                                                                                               \
    X(getDiagnostic)                                                                                                   \
    X(getDiagnosticSeverity)                                                                                           \
    X(formatDiagnostic)                                                                                                \
    X(getTranslationUnitCursor)                                                                                        \
    X(visitChildren)                                                                                                   \
    X(getCursorLocation)                                                                                               \
    X(getCursorExtent)                                                                                                 \
    X(getRangeStart)                                                                                                   \
    X(getRangeEnd)                                                                                                     \
    X(getExpansionLocation)                                                                                            \
    X(Location_isFromMainFile)                                                                                         \
    X(getCursorSpelling)                                                                                               \
    X(getCString)                                                                                                      \
    X(disposeString)

static struct {
#define DECLARE(name) __typeof__ (&clang_##name)(name);
    FUNCTIONS(DECLARE)
} clang;

static int load_library(struct error *err)
{
    void *library = dlopen(LIBCLANG, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return error_set(err, -ENOSYS, "libclang can't be loaded: %s", dlerror());
#define LOAD(name)                                                                                                     \
    *(void **)&clang.name = dlsym(library, "clang_" #name);                                                            \
    if (!clang.name)                                                                                                   \
        return error_set(err, -ENOSYS, "%s has no function clang_%s", LIBCLANG, #name);
    FUNCTIONS(LOAD)
    return 0;
}

struct search {
    const char *text;
    size_t size;
    char function[100];
    size_t begin, end; /* of the function */
    struct mutation *found;
    size_t n, room;
};

static void add(struct search *s, const char *kind, size_t from, size_t to, const char *instead)
{
    if (to > s->size || from > to || strlen(instead) >= sizeof s->found->instead)
        return;
    if (s->n == s->room) {
        s->room = s->room ? 2 * s->room : 256;
        s->found = realloc(s->found, s->room * sizeof *s->found);
        if (!s->found)
            error_exit(EXIT_CANNOT_TELL, "out of memory");
    }
    struct mutation *m = &s->found[s->n++];
    *m = (struct mutation){.kind = kind, .from = from, .to = to, .begin = s->begin, .end = s->end};
    snprintf(m->instead, sizeof m->instead, "%s", instead);
    snprintf(m->function, sizeof m->function, "%s", s->function);
}

/* Where a node stands in the text; of one out of a macro, where the macro is used. */
static void place(CXCursor cursor, size_t *from, size_t *to)
{
    unsigned start, end;
    const CXSourceRange range = clang.getCursorExtent(cursor);
    clang.getExpansionLocation(clang.getRangeStart(range), NULL, NULL, NULL, &start);
    clang.getExpansionLocation(clang.getRangeEnd(range), NULL, NULL, NULL, &end);
    *from = start, *to = end;
}

struct children {
    CXCursor child[8];
    unsigned n;
};

static enum CXChildVisitResult take_child(CXCursor cursor, CXCursor parent, CXClientData data)
{
    struct children *c = data;
    (void)parent;
    if (c->n < 8)
        c->child[c->n++] = cursor;
    return CXChildVisit_Continue;
}

static struct children children_of(CXCursor cursor)
{
    struct children c = {.n = 0};
    clang.visitChildren(cursor, take_child, &c);
    return c;
}

static bool begins(const struct search *s, size_t at, const char *word)
{
    const size_t n = strlen(word);
    return at + n <= s->size && memcmp(s->text + at, word, n) == 0;
}

/* Between its two operands. What is part of a macro is not found, and left alone. */
static void change_operator(struct search *s, CXCursor cursor)
{
    static const char *const swap[][3] = {
        {"<<=", ">>="},   {">>=", "<<="}, {"+=", "-=", "="}, {"-=", "+=", "="}, {"*=", "/="}, {"/=", "*="},
        {"|=", "&="},     {"&=", "|="},   {"<=", "<", ">="}, {">=", ">", "<="}, {"==", "!="}, {"!=", "=="},
        {"&&", "||"},     {"||", "&&"},   {"<<", ">>"},      {">>", "<<"},      {"=", NULL},  {"<", "<=", ">"},
        {">", ">=", "<"}, {"+", "-"},     {"-", "+"},        {"*", "/"},        {"/", "*"},   {"%", "/"},
        {"&", "|"},       {"|", "&"},     {"^", "|"}};
    const struct children c = children_of(cursor);
    size_t from, at, right, to;
    if (c.n != 2)
        return;
    place(c.child[0], &from, &at);
    place(c.child[1], &right, &to);
    while (at < right && isspace((unsigned char)s->text[at]))
        at++;
    for (size_t i = 0; at < right && i < sizeof swap / sizeof *swap; i++)
        if (begins(s, at, swap[i][0])) {
            for (size_t k = 1; k < 3 && swap[i][k]; k++)
                add(s, "operator", at, at + strlen(swap[i][0]), swap[i][k]);
            return;
        }
}

static void change_unary(struct search *s, size_t from, size_t to)
{
    if (begins(s, from, "++") || begins(s, from, "--"))
        add(s, "operator", from, from + 2, s->text[from] == '+' ? "--" : "++");
    else if (to >= 2 && (begins(s, to - 2, "++") || begins(s, to - 2, "--")))
        add(s, "operator", to - 2, to, s->text[to - 1] == '+' ? "--" : "++");
    else if (s->text[from] == '!' || s->text[from] == '-' || s->text[from] == '~')
        add(s, "operator left out", from, from + 1, "");
}

static void change_number(struct search *s, size_t from, size_t to)
{
    char word[40], more[80], *suffix;
    const size_t n = to - from;
    if (n >= sizeof word || !isdigit((unsigned char)s->text[from]))
        return;
    snprintf(word, sizeof word, "%.*s", (int)n, s->text + from);
    const unsigned long long value = strtoull(word, &suffix, 10);
    if (strspn(suffix, "uUlL") != strlen(suffix)) { /* 0x1f, 0.5 */
        snprintf(more, sizeof more, "(%s + 1)", word);
        add(s, "number", from, to, more);
        return;
    }
    snprintf(more, sizeof more, "%llu%s", value + 1, suffix);
    add(s, "number", from, to, more);
    snprintf(more, sizeof more, "%llu%s", value - 1, suffix);
    if (value > 0)
        add(s, "number", from, to, more);
}

static void change_condition(struct search *s, CXCursor condition, bool branch)
{
    static const struct {
        const char *kind, *before;
        bool branch;
    } change[] = {{"condition turned round", "!", false}, {"never", "0 && ", true}, {"always", "1 || ", true}};
    size_t from, to;
    char instead[sizeof s->found->instead];
    place(condition, &from, &to);
    for (size_t i = 0; i < sizeof change / sizeof *change; i++) {
        const int n = snprintf(instead, sizeof instead, "%s(%.*s)", change[i].before, (int)(to - from), s->text + from);
        if ((!change[i].branch || branch) && n < (int)sizeof instead)
            add(s, change[i].kind, from, to, instead);
    }
}

/* The type of a declaration or of a cast, the first word from `from` that is one. */
static void narrow(struct search *s, size_t from, size_t to)
{
    static const char *const type[][2] = {
        {"uint64_t", "uint32_t"}, {"int64_t", "int32_t"}, {"size_t", "uint32_t"}, {"double", "float"}};
    for (size_t at = from; at < to; at++)
        for (size_t i = 0; i < sizeof type / sizeof *type && !isalnum((unsigned char)s->text[at - (at > 0)]); i++) {
            const size_t end = at + strlen(type[i][0]);
            if (!begins(s, at, type[i][0]) || end > to)
                continue;
            if (!begins(s, end, " *")) /* the same numbers, read otherwise: nobody's mistake */
                add(s, "narrower type", at, end, type[i][1]);
            return;
        }
}

/* An expression that is a statement: without it. */
static void leave_out(struct search *s, CXCursor cursor)
{
    size_t from, to;
    place(cursor, &from, &to);
    if (cursor.kind == CXCursor_BinaryOperator || cursor.kind == CXCursor_CompoundAssignOperator ||
        cursor.kind == CXCursor_CallExpr || (cursor.kind == CXCursor_UnaryOperator && !begins(s, from, "*")))
        add(s, "statement left out", from, to, "");
}

static void change(struct search *s, CXCursor cursor, CXCursor parent)
{
    const struct children c = children_of(cursor);
    size_t from, to, name;
    unsigned at;
    place(cursor, &from, &to);
    if (parent.kind == CXCursor_CompoundStmt)
        leave_out(s, cursor);
    switch (cursor.kind) {
    case CXCursor_BinaryOperator:
    case CXCursor_CompoundAssignOperator:
        change_operator(s, cursor);
        break;
    case CXCursor_UnaryOperator:
        change_unary(s, from, to);
        break;
    case CXCursor_IntegerLiteral:
    case CXCursor_FloatingLiteral:
        change_number(s, from, to);
        break;
    case CXCursor_IfStmt:
        change_condition(s, c.child[0], true);
        for (unsigned i = 1; i < c.n && c.n == 3; i++) /* with one branch alone it would be "never" again */
            leave_out(s, c.child[i]);
        break;
    case CXCursor_ConditionalOperator:
        change_condition(s, c.child[0], false);
        break;
    case CXCursor_WhileStmt:
        change_condition(s, c.child[0], false);
        leave_out(s, c.child[1]);
        break;
    case CXCursor_ForStmt:
        if (c.n)
            leave_out(s, c.child[c.n - 1]);
        break;
    case CXCursor_ContinueStmt:
        add(s, "jump", from, to, "break");
        break;
    case CXCursor_BreakStmt:
        add(s, "jump", from, to, "continue");
        break;
    case CXCursor_VarDecl:
    case CXCursor_FieldDecl:
        clang.getExpansionLocation(clang.getCursorLocation(cursor), NULL, NULL, NULL, &at);
        name = at;
        narrow(s, from, name);
        break;
    case CXCursor_CStyleCastExpr:
        narrow(s, from, from + strcspn(s->text + from, ")"));
        break;
    default:
        break;
    }
}

/* Functions and structs, all in them; nothing of tables and of what comes out of headers. */
static enum CXChildVisitResult visit(CXCursor cursor, CXCursor parent, CXClientData data)
{
    struct search *s = data;
    if (!clang.Location_isFromMainFile(clang.getCursorLocation(cursor)))
        return CXChildVisit_Continue;
    if (parent.kind == CXCursor_TranslationUnit) {
        if (cursor.kind != CXCursor_FunctionDecl && cursor.kind != CXCursor_StructDecl)
            return CXChildVisit_Continue;
        const CXString name = clang.getCursorSpelling(cursor);
        snprintf(s->function, sizeof s->function, "%s%s", cursor.kind == CXCursor_StructDecl ? "struct " : "",
                 clang.getCString(name));
        clang.disposeString(name);
        place(cursor, &s->begin, &s->end);
    } else {
        change(s, cursor, parent);
    }
    return CXChildVisit_Recurse;
}

static int compare(const void *a, const void *b)
{
    const struct mutation *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    return strcmp(x->instead, y->instead);
}

static int check_errors(CXTranslationUnit unit, struct error *err)
{
    for (unsigned i = 0; i < clang.getNumDiagnostics(unit); i++) {
        const CXDiagnostic d = clang.getDiagnostic(unit, i);
        if (clang.getDiagnosticSeverity(d) >= CXDiagnostic_Error) {
            const CXString text = clang.formatDiagnostic(d, CXDiagnostic_DisplaySourceLocation);
            return error_set(err, -EINVAL, "%s", clang.getCString(text));
        }
    }
    return 0;
}

int mutations_find(const char *path, const char *text, size_t size, const char *const *flags, struct mutation **out,
                   struct error *err)
{
    int n = 0, code = load_library(err);
    if (code)
        return code;
    while (flags[n])
        n++;
    struct search s = {.text = text, .size = size};
    const CXIndex index = clang.createIndex(0, 0);
    const CXTranslationUnit unit = clang.parseTranslationUnit(index, path, flags, n, NULL, 0, CXTranslationUnit_None);
    code = unit ? check_errors(unit, err) : error_set(err, -EINVAL, "%s: libclang can't read it", path);
    if (code == 0)
        clang.visitChildren(clang.getTranslationUnitCursor(unit), visit, &s);
    if (unit)
        clang.disposeTranslationUnit(unit);
    clang.disposeIndex(index);
    if (code) {
        free(s.found);
        return code;
    }
    qsort(s.found, s.n, sizeof *s.found, compare);
    size_t kept = 0; /* a change may be found by two ways */
    for (size_t i = 0; i < s.n; i++)
        if (kept == 0 || compare(&s.found[kept - 1], &s.found[i]) != 0)
            s.found[kept++] = s.found[i];
    *out = s.found;
    return (int)kept;
}

#else

int mutations_find(const char *path, const char *text, size_t size, const char *const *flags, struct mutation **out,
                   struct error *err)
{
    (void)path, (void)text, (void)size, (void)flags, (void)out;
    return error_set(err, -ENOSYS,
                     "mutants takes libclang, which was not here when this was built: install it (Debian: "
                     "libclang-dev), then run make build");
}

#endif
