#!/bin/sh
# The same seed must give the same bytes, whatever the compiler and its optimisation: builds the project again with clang and -O1, and compares JSON
# results without their fields of time and machine.
set -eu
cd "$(dirname "$0")/.."
build=${FAULTLINE_BUILD:-build} other=$build/other
passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Only what is compared is built again. Whatever this clang warns of beyond the project's gcc is not the matter here.
make -s -j"$(nproc)" compared B="$other" CC=clang OPT=-O1 WERROR= NVCC= >"$work/log" 2>&1 || { tail -n 20 "$work/log"; exit 1; }

# compare NAME FILE-HERE FILE-THERE
compare() {
  if [ -s "$2" ] && cmp -s "$2" "$3"; then
    echo "   same bytes: $1"
    passed=$((passed + 1))
  else
    echo "   OTHER bytes: $1"
    diff "$2" "$3" | head -n 10 || true
    failed=$((failed + 1))
  fi
}

# Fields of time, and of counted instructions, which are the compiler's, stand on lines of their own ("seconds": 1.2), those of the machine in an object
# ("machine": {...}), which ends with the brace that is indented as its beginning is: there may be objects in it.
timeless() {
  awk 'last { if (index($0, last) == 1) last = ""; next }
    /^ *"(machine|timing)": \{$/ { last = $0; sub(/".*/, "}", last); next }
    !/"(seconds|measured)":/'
}

for lab in labs/*/lab.json; do
  folder=$(dirname "$lab") name=$(basename "$(dirname "$lab")")
  for b in "$build" "$other"; do
    out=$work/$(basename "$b").$name
    if [ -e "$b/$folder/reference.so" ]; then
      "$b/faultline" check "$name" --plugin "$b/$folder/reference.so" --quiet --json "$out.check" >/dev/null || true
      timeless <"$out.check" >"$out.check.timeless"
    fi
    if [ -e "$b/$folder/claims" ]; then
      env FAULTLINE_BUILD="$b" "$b/$folder/claims" --quiet --seeded --seed 3 --out "$out.claims" >/dev/null || true
      timeless <"$out.claims" >"$out.claims.timeless"
    fi
    if [ -e "$b/$folder/replay" ]; then
      env FAULTLINE_BUILD="$b" "$b/$folder/replay" datasets/access-log/access.log.gz --quiet --json "$out.replay" >/dev/null
    fi
  done
  here=$work/$(basename "$build").$name there=$work/$(basename "$other").$name
  compare "$name: check of the reference" "$here.check.timeless" "$there.check.timeless"
  compare "$name: claims" "$here.claims.timeless" "$there.claims.timeless"
  compare "$name: replay" "$here.replay" "$there.replay"
done
[ -n "${FAULTLINE_COUNTS:-}" ] && echo "$passed $failed" >"$FAULTLINE_COUNTS"
[ "$failed" -eq 0 ]
