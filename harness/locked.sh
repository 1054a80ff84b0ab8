#!/bin/sh
# locked.sh BUILD COMMAND...: runs what builds, one at a time for each build folder. Where the folder is somebody else's
# and cannot be written, nothing is built: what needs a newer build says so itself.
set -eu
build=$1
shift
mkdir -p "$build" 2>/dev/null || true
[ -w "$build" ] || exit 0
exec 9>"$build/lock"
flock -n 9 || { echo "faultline: waiting for another build in $build" >&2; flock 9; }
exec "$@"
