/* What it takes until 128 bytes at the end of a growing file are on the disk, in the build folder.
 *
 * A disk behind a hypervisor, or one with a battery, acknowledges from its cache: some tens of microseconds are the
 * price of asking, not of writing. A file system that lies in memory has no such price at all, and no figure here.
 */
#include "measure/limits_bench.h"

#include "base/memory.h"
#include "measure/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define RECORD 128

/* From statfs(2). */
static const struct {
    unsigned long type;
    const char *name;
    bool in_memory;
} known[] = {{0x01021994, "tmpfs", true}, {0x858458f6, "ramfs", true},      {0xef53, "ext4", false},
             {0x58465342, "xfs", false},  {0x9123683e, "btrfs", false},     {0x2fc12fc1, "zfs", false},
             {0xf2f52010, "f2fs", false}, {0x794c7630, "overlayfs", false}, {0x6969, "nfs", false},
             {0x01021997, "9p", false},   {0x65735546, "fuse", false}};

static double append(void *context)
{
    static const char record[RECORD] = "faultline";
    int fd = *(const int *)context;
    uint64_t begin = clock_now_ns();
    if (write(fd, record, sizeof record) != (ssize_t)sizeof record || fdatasync(fd) != 0)
        return (double)NAN;
    return (double)(clock_now_ns() - begin);
}

void limits_flush(struct limits_bench *b, struct limits_series *s, unsigned which)
{
    (void)which;
    struct statfs system;
    char path[FILE_PATH];
    const char *name = "a file system unknown to this program";
    if (statfs(b->folder, &system) != 0) {
        limits_refuse(s, "the folder for its file can't be looked at: %s", strerror(errno));
        return;
    }
    for (size_t i = 0; i < COUNT(known); i++)
        if (known[i].type == ((unsigned long)system.f_type & 0xffffffffu)) {
            name = known[i].name;
            if (known[i].in_memory) {
                limits_refuse(s, "the build folder lies on %s, in memory: nothing goes to a disk", name);
                return;
            }
        }
    snprintf(s->place, sizeof s->place, "build folder, %s", name);
    snprintf(s->how, sizeof s->how, "the file grows by %d bytes", RECORD);
    file_path(path, "%s/limits.XXXXXX", b->folder);
    int fd = mkostemp(path, O_CLOEXEC | O_APPEND);
    if (fd < 0) {
        limits_refuse(s, "no file could be made in the build folder: %s", strerror(errno));
        return;
    }
    unlink(path);
    struct limits_work work = {.timed = append, .context = &fd};
    size_t before = s->chunks;
    limits_alone(b, s, &work);
    if (s->chunks == before && !*s->reason)
        limits_refuse(s, "writing or flushing failed in the build folder");
    close(fd);
}
