#!/bin/sh
# test.sh [--all] [NN-NAME]: runs every test of the project, or those of one lab and of what decides about it, and adds
# up what was seen to pass and to fail. The last line is "N passed, N failed".
#
# Counts come from files that the programs write, never from exit codes alone, and each program must have run as many
# tests as its sources have: a program that stops in the middle, a filter that matches nothing, a test that the linker
# lost all show as a wrong count.
#
# What passed is not run again in the same build folder while all that it is made of is the same: its stamp holds a hash
# of that and its count. --all believes no stamp, and leaves nothing out of the static analysis.
set -u
cd "$(dirname "$0")/.." || exit 2
build=${FAULTLINE_BUILD:-build}
passed=0 failed=0 all=
[ "${1:-}" != --all ] || { all=1 && shift; }
only=${1:-}
counts=$(mktemp) end=$(mktemp) || exit 2
trap 'rm -f "$counts" "$end"' EXIT
[ -z "$all" ] || rm -rf "$build/stamp" "$build/tidy" "$build/cppcheck"
mkdir -p "$build/stamp"
version=$(sed -n 's/^#define VERSION_TEXT "\(.*\)"$/\1/p' "$build/build_info.h" | sed 's/[].|*[^$\\]/\\&/g')

# hash FILE-OR-FOLDER...: of names and contents, in folders of all that matters. The version, which changes with every
# commit, stands in a room of its own in programs (base/version.h), and is left out.
hash() {
  find "$@" -type f ! -name '*.[od]' ! -name '*.md' ! -name starter.so ! -name built 2>/dev/null | LC_ALL=C sort |
    while IFS= read -r f; do
      echo "$f"
      LC_ALL=C sed "s|$version\\x00*|version|g" "$f"
    done | sha256sum | cut -c1-64
}

# run NAME EXPECTED HASH COMMAND...   EXPECTED: the number of tests, or "some"
run() {
  name=$1 expected=$2 now=$(echo "$3" | sha256sum | cut -c1-64)
  shift 3
  printf '== %s\n' "$name"
  stamp=$build/stamp/$(echo "$name" | tr '/ ' '__')
  if read -r was p since <"$stamp" && [ "$was" = "$now" ] && [ "${p:-0}" -gt 0 ] &&
    { [ "$expected" = some ] || [ "$p" -eq "$expected" ]; }; then
    passed=$((passed + p))
    printf '   %s passed, unchanged since %s\n' "$p" "$since"
    return
  fi 2>/dev/null
  rm -f "$stamp"
  : >"$counts"
  begin=$(date +%s)
  FAULTLINE_COUNTS=$counts "$@"
  code=$?
  p=0 f=0
  read -r p f <"$counts" || true
  p=${p:-0} f=${f:-0}
  if [ "$expected" != some ] && [ $((p + f)) -ne "$expected" ]; then
    echo "   $name: $((p + f)) tests were seen to run, $expected were expected"
    f=$((f + 1))
  elif [ $((p + f)) -eq 0 ]; then
    echo "   $name: no test was seen to run"
    f=1
  elif [ $code -ne 0 ] && [ "$f" -eq 0 ]; then
    echo "   $name: ended with exit code $code though no test failed"
    f=1
  fi
  passed=$((passed + p)) failed=$((failed + f))
  printf '   %s passed, %s failed, %s s\n' "$p" "$f" "$(($(date +%s) - begin))"
  [ "$f" -ne 0 ] || echo "$now $p $(date '+%Y-%m-%d %H:%M')" >"$stamp"
}

# A Criterion program without its summary: what is left is what failed, and why.
unit() {
  { "$1" 2>&1 && echo 0 >"$end" || echo 1 >"$end"; } | grep -v '^\[====\]'
  return "$(cat "$end")"
}

machine="$(grep -v VERSION_TEXT "$build/build_info.h" | cat - "$build/flags" | sha256sum | cut -c1-64) $(uname -m)"
# What a submission is compiled with and run by.
host="$machine $(hash "$build/faultline-host" harness/base/*.h harness/host/*.h harness/sim/*.h harness/host/plugin.map)"

tree() {
  git ls-files --cached --others --exclude-standard -z | xargs -0 cat 2>/dev/null | sha256sum | cut -c1-64
}
quick=--quick
[ -z "$all" ] || quick=--whole
run "lint${only:+ of $only}" some "$(tree) $quick" env FAULTLINE_LAB="$only" harness/lint.sh "$quick"

for folder in harness/*/tests reference/*/tests bench/*/tests; do
  set -- "$folder"/*.c
  [ -e "$1" ] || continue
  lab=$(basename "${folder%/tests}") own=
  case $folder in
  harness/host/* | harness/grade/*) ;;
  harness/*) [ -z "$only" ] || continue ;;
  # A folder of labs/ is a lab from the day it has a lab.json; until then nothing of it is built.
  *)
    { [ -e "labs/$lab/lab.json" ] && [ "${only:-$lab}" = "$lab" ]; } || continue
    own="$build/labs/$lab labs/$lab reference/$lab bench/$lab"
    ;;
  esac
  program=$build/tests/$(echo "${folder%/tests}" | tr / -)
  expected=$(cat "$folder"/*.c | grep -c '^Test(')
  ! grep -q faultline "$folder"/*.c || own="$own $build/faultline"
  # shellcheck disable=SC2086 # several words
  run "$folder" "$expected" "$host $(hash "$program" datasets $own)" unit "$program"
done
for lab in labs/*/lab.json; do
  lab=$(basename "$(dirname "$lab")")
  [ "${only:-$lab}" = "$lab" ] || continue
  own=$(hash "$build/labs/$lab" "$build/faultline" "labs/$lab" "reference/$lab" harness/host/attacks)
  run "lab $lab" some "$host $own" "$build/faultline" verify "$lab" --quiet
  run "same bytes of $lab" some "$host $own $(hash datasets harness/same_bytes.sh Makefile) $(clang --version | head -n 1)" \
    harness/same_bytes.sh "$lab"
done
[ -n "$only" ] ||
  run 'a new lab' some "$host $(hash "$build/faultline" "$build/lib.a" harness/skeleton harness/*.sh harness/host/attacks Makefile)" harness/skeleton_test.sh

echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
