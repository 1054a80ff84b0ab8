#!/bin/sh
# Installs what is missing. Does nothing, fast, when all is there.
#   harness/setup.sh          what building and running needs
#   harness/setup.sh test     and what `make test` needs besides
# Exit code 2 when something is missing that can't be installed here; the message names it.
set -eu

# what to look for | Debian package. A path, or a program's name.
run='/usr/include/criterion/criterion.h|libcriterion-dev
/usr/include/jansson.h|libjansson-dev
/usr/include/seccomp.h|libseccomp-dev
/usr/include/zlib.h|zlib1g-dev
/usr/include/hwloc.h|libhwloc-dev
/usr/include/papi.h|libpapi-dev
/usr/include/Zydis/Zydis.h|libzydis-dev
/usr/include/xxhash.h|libxxhash-dev
valgrind|valgrind
gcc|gcc
ld|binutils
make|make
bwrap|bubblewrap
gnuplot|gnuplot-nox
pkg-config|pkg-config
git|git
patch|patch'
# Headers of the C library come only as a recommendation of the compiler.
run="$run
/usr/include/stdio.h|libc6-dev"
# Optional: what is left out without them says so in a line.
test='/usr/include/hiredis/hiredis.h|libhiredis-dev
redis-server|redis-server
/usr/include/sqlite3.h|libsqlite3-dev
/usr/sbin/nginx|nginx
mpirun|openmpi-bin
clang|clang
clang-format|clang-format
clang-tidy|clang-tidy
cppcheck|cppcheck
shellcheck|shellcheck
setpriv|util-linux
/usr/bin/python3|python3
chromium|chromium
/usr/lib/python3/dist-packages/yaml|python3-yaml'
test="$test
/usr/lib/$(uname -m)-linux-gnu/openmpi/include/mpi.h|libopenmpi-dev"
for libclang in /usr/lib/llvm-*/lib/libclang.so; do :; done # the last one, or the pattern
test="$test
$libclang|libclang-dev"

want=$run
[ "${1:-}" = test ] && want="$run
$test"
missing=
IFS='
'
for line in $want; do
  thing=${line%%|*} package=${line##*|}
  case $thing in
  /*) [ -e "$thing" ] && continue ;;
  *) command -v "$thing" >/dev/null 2>&1 && continue ;;
  esac
  missing="$missing $package"
done
IFS=' '
[ -z "$missing" ] && exit 0

root=
[ "$(id -u)" = 0 ] || root=sudo
if ! command -v apt-get >/dev/null 2>&1; then
  echo "faultline: missing:$missing (Debian's names). There is no apt-get here: install them with this system's package manager, then run make again." >&2
  exit 2
fi
if [ -n "$root" ] && ! { command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null || [ -t 0 ] && command -v sudo >/dev/null 2>&1; }; then
  echo "faultline: missing:$missing. Installing needs root: run 'apt-get install --no-install-recommends$missing' as root, then make again." >&2
  exit 2
fi
echo "faultline: installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # $missing is a list of words, and $root may be empty
if ! { $root env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
  tail -n 5 "$log" >&2
  echo "faultline: could not install:$missing. The last lines of apt-get stand above." >&2
  exit 2
fi
