#!/bin/sh
# Runs every test of the project and adds up what was seen to pass and to fail. The last line is "N passed, N failed".
#
# Counts come from files that the programs write, never from exit codes alone, and each program must have run as many tests as its sources have: a
# program that stops in the middle, a filter that matches nothing, a test that the linker lost all show as a wrong count.
set -u
cd "$(dirname "$0")/.." || exit 2
build=${FAULTLINE_BUILD:-build}
passed=0 failed=0
counts=$(mktemp) || exit 2
trap 'rm -f "$counts"' EXIT

# run NAME EXPECTED COMMAND...   EXPECTED: the number of tests, or "some"
run() {
  name=$1 expected=$2
  shift 2
  printf '== %s\n' "$name"
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
}

run lint some harness/lint.sh --quick
for folder in harness/*/tests reference/*/tests bench/*/tests; do
  set -- "$folder"/*.c
  [ -e "$1" ] || continue
  # A folder of labs/ is a lab from the day it has a lab.json; until then nothing of it is built.
  case $folder in harness/*) ;; *) [ -e "labs/$(basename "${folder%/tests}")/lab.json" ] || continue ;; esac
  program=$build/tests/$(echo "${folder%/tests}" | tr / -)
  expected=$(cat "$folder"/*.c | grep -c '^Test(')
  run "$folder" "$expected" "$program" --quiet
done
run 'same bytes' some harness/same_bytes.sh
run 'labs' some "$build/faultline" verify --quiet

echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
