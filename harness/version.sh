#!/bin/sh
# Prints build/build_info.h: what this build is. Its content changes only when one of these facts does.
#   CC, FLAGS: compiler and flags of the build
set -eu
version=$(git describe --tags --always --dirty 2>/dev/null || echo unversioned)
compiler=$(${CC:-cc} --version | head -n 1 | sed 's/["\\]//g')
found=$(for library in criterion hiredis hwloc jansson libseccomp papi sqlite3 zlib; do
  printf '%s %s, ' "$library" "$(pkg-config --modversion "$library" 2>/dev/null || echo missing)"
done)
gnuplot=$(gnuplot --version 2>/dev/null | sed 's/^gnuplot \([0-9.]*\) patchlevel \([0-9]*\).*/\1.\2/' || true)
valgrind=$(valgrind --version 2>/dev/null | sed 's/^valgrind-//' || true)
bubblewrap=$(bwrap --version 2>/dev/null | cut -d' ' -f2 || true)
cat <<EOF
#define VERSION_TEXT "$version"
#define VERSION_COMPILER "$compiler"
#define VERSION_FLAGS "$(echo "${FLAGS:-}" | sed 's/ *$//')"
#define VERSION_FOUND "${found}gnuplot ${gnuplot:-missing}, bubblewrap ${bubblewrap:-missing}, valgrind ${valgrind:-missing}"
EOF
