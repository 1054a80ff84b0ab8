/* file.c: whole files, in and out. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static int read_fd(int fd, const char *path, size_t limit, char **data, size_t *size, struct error *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_set(err, -errno, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return error_set(err, -EINVAL, "%s: not a regular file", path);
    if ((size_t)st.st_size > limit)
        return error_set(err, -EFBIG, "%s: %lld bytes, the limit is %zu", path, (long long)st.st_size, limit);
    size_t capacity = (size_t)st.st_size, used = 0;
    char *buffer = malloc(capacity + 1);
    if (!buffer)
        return error_set(err, -ENOMEM, "%s: out of memory", path);
    while (used < capacity) {
        ssize_t n = read(fd, buffer + used, capacity - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int code = -errno;
            free(buffer);
            return error_set(err, code, "%s: %s", path, strerror(-code));
        }
        if (n == 0)
            break;
        used += (size_t)n;
    }
    buffer[used] = '\0';
    *data = buffer;
    *size = used;
    return 0;
}

int file_read(const char *path, size_t limit, char **data, size_t *size, struct error *err)
{
    /* O_NONBLOCK: opening a named pipe must not wait for a writer; a regular file does not notice. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set(err, -errno, "%s: %s", path, strerror(errno));
    int code = read_fd(fd, path, limit, data, size, err);
    close(fd);
    return code;
}

int file_write(const char *path, const void *data, size_t size, struct error *err)
{
    char folder[FILE_PATH], temporary[FILE_PATH];
    file_path(folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash && slash != folder) {
        *slash = '\0';
        int code = file_make_dirs(folder, err);
        if (code)
            return code;
    }
    file_path(temporary, "%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return error_set(err, -errno, "%s: cannot write: %s", path, strerror(errno));
    mode_t mask = umask(0);
    umask(mask);
    int code = write_all(fd, data, size);
    if (code == 0 && (fchmod(fd, 0666 & ~mask) < 0 || fsync(fd) < 0))
        code = -errno;
    if (close(fd) < 0 && code == 0)
        code = -errno;
    if (code == 0 && rename(temporary, path) < 0)
        code = -errno;
    if (code) {
        unlink(temporary);
        return error_set(err, code, "%s: cannot write: %s", path, strerror(-code));
    }
    return 0;
}

int file_copy(const char *from, const char *to, size_t limit, struct error *err)
{
    int fd = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return error_set(err, -errno, "%s: %s", from,
                         errno == ELOOP ? "is a symbolic link, which is refused" : strerror(errno));
    char *data = NULL;
    size_t size = 0;
    int code = read_fd(fd, from, limit, &data, &size, err);
    close(fd);
    if (code)
        return code;
    code = file_write(to, data, size, err);
    free(data);
    return code;
}

int file_make_dirs(const char *path, struct error *err)
{
    char part[FILE_PATH];
    file_path(part, "%s", path);
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char saved = *p;
        *p = '\0';
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            return error_set(err, -errno, "%s: cannot make the folder: %s", part, strerror(errno));
        *p = saved;
        if (saved == '\0')
            break;
    }
    if (!file_is_dir(path))
        return error_set(err, -ENOTDIR, "%s: is not a folder", path);
    return 0;
}

bool file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool file_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *where)
{
    (void)st, (void)flag, (void)where;
    remove(path);
    return 0;
}

void file_remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static const char *temp_base(void)
{
    const char *base = getenv("TMPDIR");
    return base && *base ? base : P_tmpdir;
}

int file_temp_dir(char *path, const char *prefix, struct error *err)
{
    file_path(path, "%s/%s.%ld.XXXXXX", temp_base(), prefix, (long)getpid());
    if (!mkdtemp(path))
        return error_set(err, -errno,
                         "%s: cannot make a temporary folder: %s (set TMPDIR to a place that can be written)", path,
                         strerror(errno));
    return 0;
}

/* "faultline-grade.1234.x4Hy2a", "criterion_1234.sock": of a process that is gone? */
static bool is_left_over(const char *name)
{
    const char *dot = strchr(name, '.');
    long pid = strncmp(name, "faultline-", 10) == 0 && dot ? strtol(dot + 1, NULL, 10)
               : strncmp(name, "criterion_", 10) == 0      ? strtol(name + 10, NULL, 10)
                                                           : 0;
    return pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

void file_remove_left_over(void)
{
    char path[FILE_PATH];
    struct stat st;
    DIR *dir = opendir(temp_base());
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (is_left_over(e->d_name) && lstat(file_path(path, "%s/%s", temp_base(), e->d_name), &st) == 0 &&
            st.st_uid == geteuid())
            file_remove_tree(path);
    if (dir)
        closedir(dir);
}

static const char *join(char *out, size_t used, const char *format, va_list args)
{
    int n = vsnprintf(out + used, FILE_PATH - used, format, args);
    if (n < 0 || (size_t)n >= FILE_PATH - used)
        error_exit(EXIT_WRONG_USE, "a path is longer than %d bytes: %.80s...", FILE_PATH - 1, out);
    return out;
}

const char *file_path(char *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    join(out, 0, format, args);
    va_end(args);
    return out;
}

const char *file_build_path(char *out, const char *format, ...)
{
    const char *build = getenv("FAULTLINE_BUILD");
    va_list args;
    file_path(out, "%s/", build && *build ? build : "build");
    va_start(args, format);
    join(out, strlen(out), format, args);
    va_end(args);
    return out;
}
