#!/bin/sh
# Style and static analysis of everything that git knows or could know. Prints what is wrong, and one line for each tool.
#   --quick   reads unit tests without clang-tidy's analyzer, which takes most of the time. `make test` does, `make lint`
#             and `make test-all` do not.
# FAULTLINE_LAB=NN-NAME: only that lab's files.
set -u
cd "$(dirname "$0")/.." || exit 2
build=${FAULTLINE_BUILD:-build}
passed=0 failed=0

check() {
  name=$1
  shift
  if output=$("$@" 2>&1); then
    echo "   $name: clean"
    passed=$((passed + 1))
  else
    echo "   $name:"
    echo "$output" | grep -E '(error|warning):' | head -n 40
    echo "$output" | tail -n 30
    failed=$((failed + 1))
  fi
}

files() {
  git ls-files --cached --others --exclude-standard -- "$@" | grep -e "/${FAULTLINE_LAB:-}" | while read -r f; do
    # What belongs to a folder of labs/ that is no lab yet (it has no lab.json) is not built either.
    lab=$(echo "$f" | sed -n 's#^\(labs\|reference\|bench\)/\([^/]*\)/.*#\2#p')
    [ -e "$f" ] && { [ -z "$lab" ] || [ -e "labs/$lab/lab.json" ]; } && echo "$f"
  done
}

format() {
  files '*.c' '*.h' | xargs -r clang-format --dry-run --Werror
}

# MPI's folders, for what stands on it.
mpi() {
  case $1 in */ranks.c) pkg-config --cflags-only-I ompi-c 2>/dev/null ;; esac
}
# The include folders of a file are those that the Makefile gives it; of the skeleton of a lab, its own.
includes() {
  lab=$(echo "$1" | sed -n 's#^\(labs\|reference\|bench\)/\([^/]*\)/.*#\2#p')
  echo "-std=c17 -D_GNU_SOURCE -Iharness -I$build"
  [ -z "$lab" ] || echo "-Ilabs/$lab -Ireference/$lab -Ibench/$lab"
  case $1 in harness/skeleton/*) echo -Iharness/skeleton/labs ;; esac
  mpi "$1"
}
# Everything that a file is made of, as the compiler wrote it down when it last built it, or as it says now.
parts() {
  written=$build/obj/${1%.c}.d
  if [ -e "$written" ] && [ -z "$(find "$1" -newer "$written")" ]; then
    cat "$written"
  else
    # shellcheck disable=SC2046 # one word for each flag
    cc -MM $(includes "$1") "$1"
  fi | sed 's/[\\ ][\\ ]*/\n/g' | grep -v ':$' | sort -u
}
# All but attacks, which are wrong on purpose. Only what changed since it was last clean: a stamp holds the checksum of
# all that the file is made of and of the settings.
tidy_one() {
  # shellcheck disable=SC2046 # one word for each file
  stamp=$build/tidy/$(echo "$1" | tr / _) now="whole $(cat .clang-tidy $(parts "$1") | cksum)" checks=
  [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$now" ] && return
  case ${FAULTLINE_LINT:-}:$1 in
  quick:*/tests/*)
    checks='--checks=-clang-analyzer-*' stamp=$stamp.quick now=quick${now#whole}
    [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$now" ] && return
    ;;
  esac
  # shellcheck disable=SC2046 # one word for each flag
  clang-tidy --quiet ${checks:+"$checks"} "$1" -- $(includes "$1") 2>/dev/null && echo "$now" >"$stamp"
}
tidy() {
  mkdir -p "$build/tidy"
  without=$(pkg-config --exists ompi-c || echo '/ranks\.c$')
  files '*.c' | grep -v -e '/attacks/' ${without:+-e "$without"} | xargs -r -P "$(nproc)" -I '{}' "$0" --tidy-one '{}'
}

cpp_check() {
  # shellcheck disable=SC2046 # one word for each folder
  files '*.c' | grep -v '/attacks/' | grep -v '/tests/' | xargs -r cppcheck -j "$(nproc)" --quiet --std=c11 \
    --enable=warning,performance,portability --inline-suppr --error-exitcode=1 --suppress=missingIncludeSystem \
    --suppress=arrayIndexThenCheck --suppress=nullPointerRedundantCheck --suppress=nullPointerArithmeticRedundantCheck "--cppcheck-build-dir=$build/cppcheck" -Iharness $(printf -- '-I%s ' labs/* reference/* bench/*) --include=harness/cppcheck.h
}

# The table of tasks and the rules in each handout are those of its lab.json, each rule has a test, and the student's file is the starter (in what is committed: a student's own tree may differ).
handouts() {
  for lab in labs/${FAULTLINE_LAB:-*}/lab.json; do
    folder=$(dirname "$lab")
    for part in tasks=markdown rules=rules; do
      name=${part%=*} option=${part#*=}
      "$build/faultline" list "$(basename "$folder")" "--$option" >"$build/$name.md" || return 1
      sed -n "/^<!-- $name:/,/^<!-- end of $name/p" "$folder/README.md" | sed '1d;$d' | diff - "$build/$name.md" ||
        { echo "$folder/README.md: its $name are not those of lab.json; put in the output of: faultline list $(basename "$folder") --$option"; return 1; }
    done
    for starter in "$folder"/starter/*.c; do
      own=$folder/$(basename "$starter")
      git diff --quiet HEAD -- "$own" "$starter" 2>/dev/null || continue
      cmp "$starter" "$own" || return 1
    done
  done
}

shell_check() {
  files '*.sh' .ci/run | xargs -r shellcheck
}

if [ "${1:-}" = --tidy-one ]; then
  tidy_one "$2"
  exit
fi
[ "${1:-}" = --quick ] && export FAULTLINE_LINT=quick
mkdir -p "$build/cppcheck"
# What these three find and how they lay out lines differs from release to release, so they are held to those of Debian 12.
held() {
  tool=$1 version=$2 function=$3
  case $("$tool" --version 2>&1) in
  *" $version."* | *" $version") check "$tool" "$function" ;;
  *) echo "   $tool: not run here: the project is held to release $version, this is $("$tool" --version | grep -o '[0-9][0-9.]*' | head -n 1)" ;;
  esac
}
held clang-format 14 format
held clang-tidy 14 tidy
held cppcheck 2.10 cpp_check
check 'shellcheck' shell_check
check 'handouts' handouts
[ -n "${FAULTLINE_COUNTS:-}" ] && echo "$passed $failed" >"$FAULTLINE_COUNTS"
[ "$failed" -eq 0 ]
