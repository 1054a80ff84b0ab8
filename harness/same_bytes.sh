#!/bin/sh
# same_bytes.sh [NN-NAME...]: the same seed must give the same bytes, whatever the compiler and its optimisation. Builds
# the labs (all of them) again with clang and -O1, and compares JSON results without their fields of time and machine.
set -eu
cd "$(dirname "$0")/.."
build=${FAULTLINE_BUILD:-build} other=${FAULTLINE_BUILD:-build}/other
passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
one=
[ $# -ne 1 ] || one=$1
[ $# -gt 0 ] || { cd labs && set -- */lab.json && cd ..; }

# Only what is compared is built again. Whatever this clang warns of beyond the project's gcc is not the matter here.
make -s -j"$(nproc)" compared LAB="$one" B="$other" CC=clang OPT=-O1 WERROR= NVCC= >"$work/log" 2>&1 || { tail -n 20 "$work/log"; exit 1; }

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

# Fields of time stand on lines of their own ("seconds": 1.2), those of the machine in an object ("machine": {...}), which
# ends with the brace that is indented as its beginning is: there may be objects in it.
timeless() {
  awk 'last { if (index($0, last) == 1) last = ""; next }
    /^ *"(machine|timing)": \{$/ { last = $0; sub(/".*/, "}", last); next }
    !/"seconds":/'
}
# What a check measured is counted instructions, which are the compiler's.
uncounted() {
  timeless | grep -v '"measured":'
}

# claims SEEDED FILE: a result of claims without those that are not in SEEDED: they are about the machine.
claims() {
  awk 'function id_of(line) { sub(/.*"id": "/, "", line); sub(/".*/, "", line); return line }
    NR == FNR { if (/^      "id": /) wanted[id_of($0)] = 1; next }
    /^  "claims": \[/ { within = 1 }
    /^  \]/ { within = 0 }
    !within { print; next }
    /^    \{/ { text = ""; keep = 0 }
    /^      "id": / { keep = id_of($0) in wanted }
    { text = text $0 "\n" }
    /^    \}/ { sub(/\},\n$/, "}\n", text); if (keep) printf "%s", text }' "$1" "$2"
}

newer() {
  [ -n "$(find "$1" -newer "$2" -newer "$3" 2>/dev/null)" ]
}

for lab; do
  # All that is asked of the other build is built, and nothing else.
  touch "$other/labs/$(basename "${lab%/lab.json}")/built"
  name=$(basename "${lab%/lab.json}") folder=labs/$(basename "${lab%/lab.json}")
  id=${name%%-*}
  sample=$(sed -n 's/^ *"sample": *"\([^"]*\)".*/\1/p' "$folder/lab.json")
  here=$work/here.$name there=$work/there.$name
  for b in "$build" "$other"; do
    [ "$b" = "$build" ] && out=$here || out=$there
    if [ -e "$b/$folder/reference.so" ]; then
      "$b/faultline" check "$name" --plugin "$b/$folder/reference.so" --quiet --json "$out.check" >/dev/null || true
      uncounted <"$out.check" >"$out.check.timeless"
    fi
    # What verify measured here is measured already, from the same seed.
    if [ "$b" = "$build" ] && newer "$b/claims-$id.json" "$b/$folder/claims" "$b/$folder/reference.so"; then
      timeless <"$b/claims-$id.json" >"$out.claims"
    elif [ -e "$b/$folder/claims" ]; then
      env FAULTLINE_BUILD="$b" "$b/$folder/claims" --quiet --seeded --seed 3 --out "$out.claims.json" >/dev/null || true
      timeless <"$out.claims.json" >"$out.claims"
    fi
    if [ -n "$sample" ] && [ -e "$b/$folder/replay" ]; then
      env FAULTLINE_BUILD="$b" "$b/$folder/replay" "$sample" --quiet --json "$out.replay" >/dev/null || true
    fi
  done
  [ ! -e "$build/$folder/reference.so" ] || compare "$name: check of the reference" "$here.check.timeless" "$there.check.timeless"
  if [ -e "$build/$folder/claims" ]; then
    claims "$there.claims" "$here.claims" >"$here.seeded"
    claims "$there.claims" "$there.claims" >"$there.seeded"
    compare "$name: claims" "$here.seeded" "$there.seeded"
  fi
  [ -z "$sample" ] || [ ! -e "$build/$folder/replay" ] || compare "$name: replay" "$here.replay" "$there.replay"
done
[ -n "${FAULTLINE_COUNTS:-}" ] && echo "$passed $failed" >"$FAULTLINE_COUNTS"
[ "$failed" -eq 0 ]
