#!/bin/sh
# grading_test.sh NUMBER FOLDER-OF-A-RIGHT-ANSWER: grading as it is met in a class: many at once, from another account,
# in a tree that can't be written, killed half-way, folders with odd names. Runs in a project's folder; harness/
# skeleton_test.sh calls it there. Each line is one thing that was seen; leaves its counts in FAULTLINE_COUNTS.
set -u
lab=$1
right=$(cd "$2" && pwd) || exit 2
passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR="$work/tmp"
mkdir "$TMPDIR"
chmod 1777 "$work" "$TMPDIR"

say() {
  if [ "$1" -eq 0 ]; then
    echo "   $2"
    passed=$((passed + 1))
  else
    echo "   NOT so: $2"
    failed=$((failed + 1))
  fi
}

seen() { # WHAT COMMAND...: what is seen when the command ends with 0
  what=$1
  shift
  "$@"
  say $? "$what"
}

# A grade without its fields of time.
grade() {
  build/faultline grade "$lab" --submission "$1" --secret 77 --quiet --json "$2" >"$2.log" 2>&1
  echo $? >"$2.rc"
}
timeless() {
  grep -vE '"(seconds|faultline)"' "$1"
}

n=0
while [ $n -lt 8 ]; do
  n=$((n + 1))
  grade "$right" "$work/$n.json" &
done
wait
seen 'eight grades at once all end with 0' test "$(sort -u "$work"/*.rc)" = 0
results=$(for n in 1 2 3 4 5 6 7 8; do timeless "$work/$n.json" | cksum; done | sort -u | wc -l)
seen 'and give the same result' test "$results" -eq 1

# check builds, so it and another check (which watch runs at every save) take turns.
set -- labs/"$lab"-*/starter/*.c
hand_in=${1##*/}
touch labs/"$lab"-*/"$hand_in"
build/faultline check "$lab" --quiet >"$work/one" 2>&1 &
build/faultline check "$lab" --quiet >"$work/two" 2>&1
wait
[ "$(grep '^Score' "$work/one")" = "$(grep '^Score' "$work/two")" ] && grep -q '^Score' "$work/one"
say $? 'two checks of an edited file at once both give its score'

for name in 'with a blank' "$(printf 'Jos\351')" "$(printf 'ada\033[2J')" "$(printf 'two\nlines')" '<b>&amp;'; do
  cp -r "$right" "$work/$name"
  build/faultline grade "$lab" --submission "$work/$name" --secret 77 --quiet --json "$work/odd.json" --junit "$work/odd.xml" \
    --tap "$work/odd.tap" --gradescope "$work/odd.gs" --classroom "$work/odd.cl" >"$work/odd.log" 2>&1
  code=$?
  [ $code -eq 0 ] && ! grep -q "$(printf '\033')" "$work/odd.log" && [ "$(grep -c '^Score' "$work/odd.log")" -eq 1 ] &&
    /usr/bin/python3 - "$work" <<'END'
import base64, json, sys, xml.dom.minidom, yaml
at = sys.argv[1] + "/odd."
json.load(open(at + "json", encoding="utf-8"))
json.load(open(at + "gs", encoding="utf-8"))
json.loads(base64.b64decode(open(at + "cl").read()))
xml.dom.minidom.parse(at + "xml")
open(at + "tap", encoding="utf-8").read()
END
  say $? "a folder called $(printf '%s' "$name" | tr -c '[:print:]' '?') is graded, and every format can be read"
done

# A message of the compiler is cut between characters, and does not pass for a line of ours.
mkdir "$work/error"
{ printf '#pragma message "\\nScore: 131/131"\n#error "x'; i=0; while [ $i -lt 400 ]; do printf '\303\251'; i=$((i + 1)); done; printf '"\n'; } >"$work/error/$hand_in"
build/faultline grade "$lab" --submission "$work/error" --secret 77 --quiet --json "$work/e.json" --junit "$work/e.xml" >"$work/e.log" 2>&1
code=$?
[ $code -eq 1 ] && [ "$(grep -c '^Score' "$work/e.log")" -eq 1 ] && ! grep -q "$PWD" "$work/e.log" &&
  /usr/bin/python3 -c 'import json, sys, xml.dom.minidom; json.load(open(sys.argv[1], encoding="utf-8")); xml.dom.minidom.parse(sys.argv[2])' "$work/e.json" "$work/e.xml"
say $? 'an accented error of 800 bytes is told whole characters long, without a path of this machine'

# Killed: what it left is gone after the next.
build/faultline grade "$lab" --submission "$right" --secret 77 --quiet >/dev/null 2>&1 &
pid=$!
i=0
while [ -z "$(ls "$TMPDIR")" ] && [ $i -lt 100 ]; do
  sleep 0.05
  i=$((i + 1))
done
kill -9 $pid
wait $pid 2>/dev/null
sleep 1
grade "$right" "$work/after.json"
seen 'a grade that was killed leaves nothing that the next does not remove' \
  test "$(ls "$TMPDIR")$(cat "$work/after.json.rc")" = 0

# Somebody else's tree, which this account can't write. Only root can become somebody else.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null 2>&1; then
  cp -r "$right" "$work/right"
  chmod -R a+rX "$work/right"
  mkdir "$work/out"
  chmod 777 "$work/out"
  if setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$PWD/build/faultline" 2>/dev/null; then
    as() { setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent TMPDIR="$TMPDIR" "$@"; }
    as build/faultline grade "$lab" --submission "$work/right" --secret 77 --quiet --json "$work/out/other.json" >"$work/other.log" 2>&1
    code=$?
    timeless "$work/out/other.json" | grep -v '"submission"' >"$work/theirs"
    timeless "$work/1.json" | grep -v '"submission"' >"$work/ours"
    [ $code -eq 0 ] && diff "$work/ours" "$work/theirs"
    say $? "another account grades in this tree, with the same result"
    as build/faultline check "$lab" --quiet >"$work/check.log" 2>&1
    grep -q '^Score' "$work/check.log"
    say $? "and checks"
  else
    echo '   another account: left out, since it cannot reach this folder'
  fi
fi
[ -n "${FAULTLINE_COUNTS:-}" ] && echo "$passed $failed" >"$FAULTLINE_COUNTS"
[ "$failed" -eq 0 ]
