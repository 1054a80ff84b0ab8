#!/bin/sh
# Lists the names of the files that some packages of this machine brought along, sorted.
#
#   datasets/file-names/record.sh OUT.txt.gz [PACKAGE...]        e.g.  record.sh /tmp/names.txt.gz git perl
#
# Needs a system with dpkg (Debian, Ubuntu). Only what packages themselves contain is in it: nothing that a person made.
set -eu
out=${1:?usage: record.sh OUT.txt.gz [PACKAGE...]}
shift
[ $# -gt 0 ] || set -- bash binutils coreutils dpkg findutils gcc-12 git git-man libc6-dev libperl5.36 libpython3.11-stdlib \
  libstdc++-12-dev linux-libc-dev make perl perl-base perl-modules-5.36 python3-minimal tzdata util-linux
command -v dpkg-query >/dev/null || { echo "record.sh: dpkg-query is missing: it needs a system with dpkg" >&2; exit 2; }
dpkg-query -L "$@" | grep '^/usr/' | LC_ALL=C sort -u | gzip -9n >"$out.new"
mv "$out.new" "$out"
echo "$(gzip -dc "$out" | wc -l) names: $out"
