#!/bin/sh
# Records which blocks of files a compiler reads while it builds part of this project, and how long each took.
#
#   datasets/compiler-reads/record.sh OUT.csv.gz [FOLDER...]        e.g.  record.sh /tmp/mine.csv.gz harness/base harness/sim
#
# Needs strace, gcc, and a project that is built (make build). The files are dropped from the page cache first, as far as
# the system lets anybody do that, so that the first read of each asks the disk.
set -eu
export LC_ALL=C
out=${1:?usage: record.sh OUT.csv.gz [FOLDER...]}
shift
case $out in /*) ;; *) out=$PWD/$out ;; esac
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- harness/*
for tool in strace gcc ar; do command -v $tool >/dev/null || { echo "record.sh: $tool is missing" >&2; exit 2; }; done
[ -e build/build_info.h ] || { echo "record.sh: build the project first: make build" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One file after the other, then an archive of all of them, as `make` does it with one job.
cat >"$work/build.sh" <<'BUILD'
work=$1
shift
rm -f "$work"/*.o "$work"/*.a
for folder; do
  for f in "$folder"/*.c; do
    [ -e "$f" ] && gcc -std=c17 -D_GNU_SOURCE -O1 -Iharness -Ibuild -c "$f" -o "$work/$(echo "$f" | tr / _).o"
  done
done
ar rcs "$work/lib.a" "$work"/*.o
gcc -shared -o "$work/all.so" -Wl,--whole-archive "$work/lib.a" -Wl,--unresolved-symbols=ignore-all 2>/dev/null || true
BUILD
record() {
  strace -f -y -ttt -T -s 0 -e trace=openat,read,pread64,lseek -o "$work/calls" sh "$work/build.sh" "$work" "$@"
}
PATH=$(echo "$PATH" | sed 's#[^:]*ccache[^:]*:##g') # a cache in front of the compiler would answer in its place

record "$@" # once, to know the files
sed -n 's/.* read([0-9]*<\(\/[^>]*\)>.*/\1/p' "$work/calls" | sort -u | while read -r f; do
  if [ -f "$f" ]; then dd if="$f" iflag=nocache count=0 2>/dev/null || true; fi
done
record "$@"

# A call becomes a request for each block of 4 KiB that it read, and its time is shared out among them. Where a process
# stands in a file: from openat on, moved by read and lseek. Names are left out: a file is a number, in order of
# appearance.
awk -F '[ (]+' '
  / <unfinished \.\.\.>$/ { sub(/ *<unfinished \.\.\.>$/, ""); begun[$1] = $0; next }
  / resumed>/ { rest = $0; sub(/.* resumed>/, "", rest); $0 = begun[$1] rest }
  { call = $3; pid = $1 }
  !match($0, /^[0-9]+ +[0-9.]+ [a-z0-9]+\(/) || / = -1 / || !/ <[0-9.]+>$/ { next }
  {
    result = $0; sub(/.* = /, "", result); sub(/[ <].*/, "", result)
    took = $0; sub(/.*</, "", took); sub(/>$/, "", took)
  }
  call == "openat" { at[pid, result] = 0; next }
  !match($0, /\([0-9]+<\/[^>]*>/) { next }
  {
    place = substr($0, RSTART + 1, RLENGTH - 1)
    fd = place; sub(/<.*/, "", fd); path = place; sub(/^[0-9]*</, "", path)
    if (path ~ /^\/(proc|dev|sys)\//) next
  }
  call == "lseek" { at[pid, fd] = result; next }
  result > 0 {
    from = at[pid, fd] + 0
    if (call == "pread64") { from = $0; sub(/\) += .*/, "", from); sub(/.*, /, "", from) }
    else at[pid, fd] = from + result
    if (!(path in number)) number[path] = ++files
    first = int(from / 4096); last = int((from + result - 1) / 4096)
    for (b = first; b <= last; b++)
      printf "%.0f %d:%d %.0f\n", 1e6 * ($2 - 1.7e9), number[path], b, 1e6 * took / (last - first + 1)
  }' "$work/calls" | sort -s -n -k 1,1 >"$work/reads"

# What a miss costs: the longest that the block took, since later reads were answered by the page cache.
awk '
  NR == FNR { if (!($2 in cost) || $3 > cost[$2]) cost[$2] = $3; if (NR == 1) first = $1; next }
  FNR == 1 { print "time_us,key,size,cost_us" }
  { printf "%.0f,%s,4096,%d\n", $1 - first, $2, cost[$2] }' "$work/reads" "$work/reads" | gzip -9n >"$out.new"
mv "$out.new" "$out"
echo "$(($(gzip -dc "$out" | wc -l) - 1)) reads: $out"
