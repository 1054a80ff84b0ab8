#!/bin/sh
# Your limiter for threads under ThreadSanitizer: which two lines touch the same memory at the same time?
#
#   labs/02-rate-limiting/race.sh                            the file that you edit
#   labs/02-rate-limiting/race.sh FILE.c... [-- ENTRY...]    other files; other entries than fixed-window-atomic
#
# It is slow (some seconds), and sees races also where the count came out right. Exit code 0: no race, all counts right;
# 1: a count is wrong; 2: it does not build; 66: a race, with both places in the code. CC=clang takes another compiler,
# INCLUDE=FOLDER adds a folder of headers.
set -u
lab=$(cd "$(dirname "$0")" && pwd) || exit 2
root=$lab/../..
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
files='' entries=fixed-window-atomic
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  files="$files $1"
  shift
done
[ $# -gt 1 ] && shift && entries="$*"
# shellcheck disable=SC2086 # lists of files and entries
${CC:-gcc} -std=c17 -D_GNU_SOURCE -O1 -g -fsanitize=thread -I"$root/harness" -I"$lab" ${INCLUDE:+"-I$INCLUDE"} \
  -o "$folder/race" "$lab/race/race.c" "$lab/hammer.c" ${files:-"$lab/rate_limiting.c"} -lpthread -lm || exit 2
# shellcheck disable=SC2086
TSAN_OPTIONS="halt_on_error=1 ${TSAN_OPTIONS:-}" "$folder/race" $entries
