#!/bin/sh
# A lab from `faultline new-lab`, in a project of its own below the build folder: made, built, verified, graded with a
# right and a wrong answer, and removed. The attacks on the host and the grader run here, once for all labs. Nothing of
# the harness is compiled again.
set -u
cd "$(dirname "$0")/.." || exit 2
here=$(cd "${FAULTLINE_BUILD:-build}" && pwd) || exit 2
root=$here/skeleton lab=42-counted-door
passed=0 failed=0
counts=$(mktemp) log=$(mktemp) || exit 2
trap 'rm -rf "$counts" "$log"' EXIT

rm -rf "$root"
mkdir -p "$root/labs" "$root/reference" "$root/bench"
ln -s "$PWD/Makefile" "$PWD/harness" "$root/"
# build BUILD: what is there of the harness, as it is in this project's build folder of that name.
copy() {
  mkdir -p "$root/$2/obj"
  for f in obj/harness lib.a faultline faultline-host flags settings build_info.h; do
    [ ! -e "$1/$f" ] || cp -a "$1/$f" "$root/$2/$f"
  done
}
copy "$here" build
[ ! -e "$here/other/lib.a" ] || copy "$here/other" build/other
cd "$root" || exit 2
unset FAULTLINE_BUILD

say() {
  if [ "$1" -eq 0 ]; then
    echo "   $2"
    passed=$((passed + 1))
  else
    echo "   NOT so: $2"
    grep -v '^  pass' "$log" | tail -n 20
    failed=$((failed + 1))
  fi
}
# so WHAT CODE COMMAND...: the command ends with this exit code.
so() {
  what=$1 code=$2
  shift 2
  "$@" >"$log" 2>&1
  [ $? -eq "$code" ]
  say $? "$what"
}
# counted WHAT COMMAND...: tests of a program that leaves counts.
counted() {
  what=$1
  shift
  : >"$counts"
  FAULTLINE_COUNTS=$counts "$@" >"$log" 2>&1
  code=$? p=0 f=0
  read -r p f <"$counts" || true
  passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0}))
  [ "$code" -eq 0 ] && [ "${p:-0}" -gt 0 ]
  say $? "$what: ${p:-0} passed, ${f:-0} failed"
}
build() {
  set -- "$@" NVCC=
  while IFS= read -r setting; do
    set -- "$@" "$setting"
  done <build/settings
  make -s -j"$(nproc)" "$@" B=build
}
three() {
  [ -e "labs/$lab" ] && [ -e "reference/$lab" ] && [ -e "bench/$lab" ]
}
none() {
  [ -z "$(find labs reference bench -mindepth 1)" ]
}
same_table() {
  build/faultline list 42 --markdown >"$log" && sed -n '/^<!-- tasks:/,/^<!-- end of tasks/p' "labs/$lab/README.md" | sed '1d;$d' | diff - "$log"
}

for wrong in '4 a-name' '42 A-Name' '42 a--name' '42 check-in' '42 ../out' 'xx a-name'; do
  # shellcheck disable=SC2086 # two words
  so "new-lab $wrong is refused" 2 build/faultline new-lab $wrong
done
so 'what was refused left nothing' 0 none
so 'new-lab makes a lab' 0 build/faultline new-lab 42 counted-door
so 'in three folders' 0 three
so 'no placeholder is left in it' 1 grep -ri skeleton labs reference bench
so 'its number is taken now' 2 build/faultline new-lab 42 another-door
so 'its name is taken now' 2 build/faultline new-lab 43 counted-door
so 'it builds, and nothing of the harness again' 0 build everything mistakes
so 'the table of its handout is that of its lab.json' 0 same_table
counted 'its verify' build/faultline verify 42 --quiet
counted 'attacks on the host and the grader' build/faultline verify 42 --only sandbox
so 'the model solution has full marks' 0 build/faultline grade 42 --submission "reference/$lab/solution" --quiet
counted 'grading as it is met in a class' harness/grading_test.sh 42 "reference/$lab/solution"
mkdir wrong
build/faultline mistake 42 one_too_many >wrong/counted_door.c
so 'a mistake has not' 1 build/faultline grade 42 --submission wrong --quiet
so 'its costs can be measured' 0 "build/labs/$lab/cost" --rounds 8 --counters software --quiet --out build/cost.json
if [ -e build/other ]; then
  counted 'the same bytes, without a replay' harness/same_bytes.sh
  cp harness/skeleton/with_replay/replay.c "bench/$lab/replay.c"
  sed -i "s/skeleton/counted_door/g; s/SKELETON_NUMBER-SKELETON_NAME/$lab/; s/SKELETON_NUMBER/42/" "bench/$lab/replay.c"
  printf '3\n4\n5\n' >groups.txt
  sed -i 's/^  "hand_in"/  "sample": "groups.txt",\n&/' "labs/$lab/lab.json"
  so 'a replay of its own input is built' 0 build everything
  counted 'the same bytes, with it' harness/same_bytes.sh
fi
rm -r "labs/$lab" "reference/$lab" "bench/$lab"
so 'it is removed with its folders' 2 build/faultline list 42

[ "$failed" -gt 0 ] || rm -rf "$root"
[ -n "${FAULTLINE_COUNTS:-}" ] && echo "$passed $failed" >"$FAULTLINE_COUNTS"
[ "$failed" -eq 0 ]
