/* linked.c: reads the symbols, relocations and dynamic tags of a hand-in, and refuses what is not on a list.
 *
 * readelf reads it, in the sandbox, since the file is nobody's whom we trust; here its lines are taken apart.
 */
#include "grade/linked.h"

#include "base/process.h"
#include "base/text.h"
#include "host/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Words separated by blanks, with one before the first and behind the last. */
static const char library[] =
    /* memory */
    " malloc calloc realloc reallocarray free aligned_alloc posix_memalign memcpy memmove mempcpy memset memcmp memchr "
    "memrchr memmem bcmp bzero explicit_bzero "
    /* strings and numbers in them */
    " strlen strnlen strcmp strncmp strcasecmp strncasecmp strcpy stpcpy strncpy strcat strncat strlcpy strlcat strchr "
    "rawmemchr strchrnul strrchr strstr strspn strcspn strpbrk strsep strtok strtok_r strdup strndup strerror strcoll "
    "strtol strtoul strtoll strtoull strtod strtof strtold strtoimax strtoumax atoi atol atoll atof sscanf isalnum "
    "isalpha isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper isxdigit tolower toupper "
    "__ctype_b_loc __ctype_tolower_loc __ctype_toupper_loc "
    /* sorting, whole numbers, errors */
    " qsort qsort_r bsearch lfind lsearch abs labs llabs imaxabs div ldiv lldiv ffs ffsl ffsll abort __assert_fail "
    "__errno_location __stack_chk_fail __tls_get_addr "
    /* mathematics, each also with f and l behind it */
    " acos asin atan atan2 cos sin tan sincos cosh sinh tanh acosh asinh atanh exp exp2 exp10 expm1 log log2 log10 "
    "log1p "
    "logb ilogb pow sqrt cbrt hypot fabs floor ceil round roundeven trunc rint nearbyint lround llround lrint llrint "
    "fmod remainder remquo drem fmin fmax fdim fma frexp ldexp modf scalb scalbn scalbln significand copysign nan "
    "nextafter nexttoward erf erfc tgamma lgamma lgamma_r j0 j1 jn y0 y1 yn finite __finite __isinf __isnan "
    "__fpclassify "
    "__signbit "
    /* printing, to find mistakes with */
    " printf fprintf vprintf vfprintf sprintf snprintf vsprintf vsnprintf asprintf vasprintf puts fputs putchar putc "
    "fputc "
    "fwrite fflush perror stdout stderr ";

static const char threads[] =
    " pthread_mutex_init pthread_mutex_destroy pthread_mutex_lock pthread_mutex_trylock pthread_mutex_unlock "
    "pthread_mutexattr_init pthread_mutexattr_settype pthread_mutexattr_destroy pthread_spin_init pthread_spin_destroy "
    "pthread_spin_lock pthread_spin_trylock pthread_spin_unlock pthread_rwlock_init pthread_rwlock_destroy "
    "pthread_rwlock_rdlock pthread_rwlock_tryrdlock pthread_rwlock_wrlock pthread_rwlock_trywrlock "
    "pthread_rwlock_unlock pthread_cond_init pthread_cond_destroy pthread_cond_wait pthread_cond_signal "
    "pthread_cond_broadcast pthread_once pthread_self pthread_equal mtx_init mtx_destroy mtx_lock mtx_trylock "
    "mtx_unlock cnd_init cnd_destroy cnd_wait cnd_signal cnd_broadcast call_once thrd_current thrd_equal thrd_yield "
    "sched_yield ";

/* Tags of the dynamic section that say where things lie, and start nothing. */
static const char tags[] =
    " NEEDED SYMBOLIC RUNPATH HASH GNU_HASH STRTAB SYMTAB STRSZ SYMENT PLTGOT PLTRELSZ PLTREL JMPREL RELA RELASZ "
    "RELAENT "
    "RELACOUNT REL RELSZ RELENT RELCOUNT RELR RELRSZ RELRENT FLAGS FLAGS_1 VERNEED VERNEEDNUM VERSYM VERDEF VERDEFNUM "
    "AARCH64_BTI_PLT AARCH64_PAC_PLT AARCH64_VARIANT_PCS NULL ";
static const char runs_at_loading[] = " INIT FINI INIT_ARRAY INIT_ARRAYSZ FINI_ARRAY FINI_ARRAYSZ PREINIT_ARRAY "
                                      "PREINIT_ARRAYSZ ";

static bool among(const char *list, const char *word, size_t length)
{
    char padded[128];
    if (length + 3 > sizeof padded)
        return false;
    snprintf(padded, sizeof padded, " %.*s ", (int)length, word);
    return strstr(list, padded);
}

/* The C library checks some calls under another name (__memcpy_chk), and reads numbers by the rules of a year of the
 * standard (__isoc23_strtol); functions for float and long double have a letter behind. */
static bool is_allowed(const char *name, bool with_threads)
{
    size_t n = strlen(name);
    if (n > 6 && strncmp(name, "__", 2) == 0 && strcmp(name + n - 4, "_chk") == 0)
        name += 2, n -= 6;
    if (strncmp(name, "__isoc", 6) == 0 && n > 9)
        name += 9, n -= 9;
    return among(library, name, n) || (with_threads && among(threads, name, n)) ||
           (n > 1 && (name[n - 1] == 'f' || name[n - 1] == 'l') && among(library, name, n - 1));
}

struct reading {
    const struct lab *lab;
    const char *world; /* as readelf names it */
    bool of_world;     /* the lines are of the world's file */
    char *shown;       /* what the world shows: words as above */
    size_t used, room;
};

static int add_shown(struct reading *r, const char *name)
{
    size_t n = strlen(name);
    if (r->used + n + 3 > r->room) {
        size_t room = 2 * r->room + n + 256;
        char *more = realloc(r->shown, room);
        if (!more)
            return -ENOMEM;
        r->shown = more;
        r->room = room;
    }
    r->used += (size_t)snprintf(r->shown + r->used, r->room - r->used, "%s ", name);
    return 0;
}

/* "    12: 0000000000003e10    24 OBJECT  WEAK   DEFAULT   18 faultline_entries" */
static int read_symbol(struct reading *r, char *line, struct error *err)
{
    char *word[8] = {NULL}, *save = NULL;
    for (int i = 0; i < 8; i++)
        word[i] = strtok_r(i ? NULL : line, " ", &save);
    if (!word[7])
        return 0;
    word[7][strcspn(word[7], "@")] = '\0';
    const bool undefined = strcmp(word[6], "UND") == 0;
    if (r->of_world)
        return undefined ? 0 : add_shown(r, word[7]);
    if (strcmp(word[3], "IFUNC") == 0)
        return error_set(
            err, -ENOEXEC,
            "it has code that chooses a function when it is loaded (%s is an ifunc); an entry runs when it "
            "is called, and only then",
            word[7]);
    if (!undefined || is_allowed(word[7], r->lab->threads) || among(r->shown, word[7], strlen(word[7])))
        return 0;
    const bool only_threads = among(threads, word[7], strlen(word[7]));
    return error_set(err, -ENOEXEC,
                     "it uses %s, which %s. It may call what lab %s declares in its headers, and of the C library what "
                     "computes: memory, strings, sorting, mathematics, printf",
                     word[7],
                     only_threads ? "is for threads, and there are none in this lab"
                                  : "no implementation needs (or it is not defined anywhere: a misspelt name?)",
                     r->lab->id);
}

/* " 0x000000000000000e (SONAME)             Library soname: [x]" */
static int read_tag(const struct reading *r, const char *line, struct error *err)
{
    const char *open = strchr(line, '('), *end = open ? strchr(open, ')') : NULL;
    const char *needed = strstr(line, "Shared library: [");
    if (!end || r->of_world)
        return 0;
    const size_t n = (size_t)(end - open) - 1;
    if (among(runs_at_loading, open + 1, n))
        return error_set(err, -ENOEXEC,
                         "it has code that runs when it is loaded or unloaded (%.*s: a constructor, a destructor); an "
                         "entry runs when it is called, and only then",
                         (int)n, open + 1);
    if (needed) {
        char name[80];
        snprintf(name, sizeof name, "world-%s.so", r->lab->id);
        needed += strlen("Shared library: [");
        const size_t length = strcspn(needed, "]");
        if (!among(" libc.so.6 libm.so.6 ", needed, length) &&
            !(length == strlen(name) && strncmp(needed, name, length) == 0))
            return error_set(err, -ENOEXEC, "it wants the library %.*s, and may have the C library alone", (int)length,
                             needed);
    }
    if (!among(tags, open + 1, n))
        return error_set(err, -ENOEXEC, "its file says %.*s to whoever loads it, which no compiler writes by itself",
                         (int)n, open + 1);
    return 0;
}

static int read_line(struct reading *r, char *line, struct error *err)
{
    if (strncmp(line, "File: ", 6) == 0) {
        r->of_world = strcmp(line + 6, r->world) == 0;
        return 0;
    }
    if (strstr(line, "IRELATIV") && !r->of_world)
        return error_set(err, -ENOEXEC,
                         "it has code that chooses a function when it is loaded (an ifunc); an entry runs when it is "
                         "called, and only then");
    char *at = line + strspn(line, " ");
    if (strncmp(at, "0x", 2) == 0)
        return read_tag(r, at, err);
    const size_t digits = strspn(at, "0123456789");
    return digits && at[digits] == ':' ? read_symbol(r, at, err) : 0;
}

/* The world first: what it shows must be known when the plugin's lines come. */
static int read_both(struct reading *r, const char *world, const char *plugin, char **text, struct error *err)
{
    const char *argv[] = {"readelf", "-W", "--dyn-syms", "-d", "-r", world, plugin, NULL}, *command[SANDBOX_ARGV];
    const struct sandbox_bind binds[] = {{.path = world}, {.path = plugin}, {.path = NULL}};
    sandbox_command(command, sandbox_layers(NULL), binds, "/", argv);
    const struct process p = {.argv = command, .wall_ms = 20000, .output_limit = 8 << 20, .output_first = true};
    struct process_result result;
    int code = process_run(&p, &result, err);
    if (code)
        return code;
    *text = result.output;
    result.output = NULL;
    if (result.timed_out || result.status != 0)
        code = error_set(err, -ENOEXEC, "what was linked cannot be read: %.300s", *text ? *text : "");
    else if (result.output_total > result.output_size)
        code = error_set(err, -ENOEXEC, "it has more symbols than can be looked at");
    process_result_free(&result);
    r->world = world;
    return code;
}

int linked_check(const struct lab *lab, const char *world, const char *plugin, struct error *err)
{
    struct reading r = {.lab = lab};
    char *text = NULL, *save = NULL;
    if (SANDBOX_SANITIZED)
        return 0;
    int code = add_shown(&r, "");
    if (code == 0)
        code = read_both(&r, world, plugin, &text, err);
    for (char *line = code ? NULL : strtok_r(text, "\n", &save); line && code == 0; line = strtok_r(NULL, "\n", &save))
        code = read_line(&r, line, err);
    if (code == -ENOMEM)
        error_set(err, code, "out of memory");
    free(text);
    free(r.shown);
    return code;
}
