/* A replay that reads no access log, for harness/skeleton_test.sh: a number on each line, so many ask to be let in. */
#include "skeleton.h"

#include "base/text.h"
#include "replay/replay.h"
#include "trace/line_reader.h"

#include <errno.h>

#define LIMIT 10u

static uint32_t group[1000], groups;

static int read_groups(const char *path, const struct replay_options *options, struct error *err)
{
    struct line_reader *lines;
    char *line;
    bool whole;
    uint64_t n;
    int code = line_reader_open(path, &lines, err);
    if (code)
        return code;
    while ((code = line_reader_next(lines, &line, &whole, err)) == 1 && groups < sizeof group / sizeof *group) {
        if (!text_number(line, &n) || n > UINT32_MAX) {
            code = error_set(err, -EINVAL, "%s: \"%s\" is no number of people", options->trace, line);
            break;
        }
        group[groups++] = (uint32_t)n;
    }
    line_reader_close(lines);
    return code < 0 ? code : 0;
}

static int run(struct replay_row *row, const struct replay_options *options)
{
    const struct skeleton_ops *ops = row->ops;
    void *counter;
    (void)options;
    int code = ops->create(LIMIT, &counter);
    if (code)
        return error_set(&row->err, code, "no counter could be made");
    for (uint32_t i = 0; i < groups; i++)
        row->figure[0] += ops->take(counter, group[i]);
    ops->destroy(counter);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct replay_figure figures[] = {{"let in", 0, "in", "1", NULL}};
    const struct replay_suite suite = {.lab_folder = "SKELETON_NUMBER-SKELETON_NAME",
                                       .example = "which groups? For example: faultline replay SKELETON_NUMBER FILE",
                                       .read = read_groups,
                                       .run = run,
                                       .source = "counted",
                                       .note = ".",
                                       .figure = figures,
                                       .figures = 1};
    return replay_main(argc, argv, &suite);
}
