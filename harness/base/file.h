/* file.h: whole files, in and out.
 *
 * Invariant: a path that these functions write holds the old content or the new, never half of either, whenever the
 * process is killed: content goes to a temporary name in the same folder, is flushed to disk, and is renamed. All
 * functions return 0 or -errno and fill err (may be NULL) with a sentence that names the path. No global state; any
 * thread.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Reads a regular file of at most `limit` bytes. *data is the caller's to free and has a NUL after its *size bytes. */
int file_read(const char *path, size_t limit, char **data, size_t *size, struct error *err);

/* Writes size bytes as path, whole or not at all. Makes the folders above it. */
int file_write(const char *path, const void *data, size_t size, struct error *err);

/* Copies a regular file, whole or not at all. Follows no symbolic link at `from`. */
int file_copy(const char *from, const char *to, size_t limit, struct error *err);

int file_make_dirs(const char *path, struct error *err); /* like mkdir -p */
bool file_exists(const char *path);                      /* a regular file, or a link to one */
bool file_is_dir(const char *path);
void file_remove_tree(const char *path); /* like rm -rf, never across a mount or through a link; best effort */

/* A new folder, only the owner's, under $TMPDIR or the system's place for temporary files. path holds at least
 * FILE_PATH bytes. */
#define FILE_PATH 1024
int file_temp_dir(char *path, const char *prefix, struct error *err);
/* Removes what processes of ours left there that were killed: folders of file_temp_dir whose prefix begins with
 * "faultline-", and Criterion's sockets. */
void file_remove_left_over(void);

/* "a/b" joined into out (FILE_PATH bytes), formatted; ends the program when it does not fit, since no path of ours
 * comes near. */
const char *file_path(char *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same below the build folder: $FAULTLINE_BUILD, or "build". */
const char *file_build_path(char *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
