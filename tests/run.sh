#!/bin/sh
# Runs every test program and script there is; prints one line each, and a total at the end.
# BUILD is the folder that holds the programs. TESTS names some of the tests instead ("unit-test_ring
# host-test_live ..."), SKIP some to leave out. JOBS (1) runs so many at once, but for those whose
# names begin with ALONE (host-: they keep to a sound card's pace), which come last.
set -u
BUILD=${BUILD:-build}
log=$BUILD/tests/log
export BUILD log
mkdir -p "$log"

all_tests() {
    for source in tests/unit/test_*.c tests/unit/double/test_*.c tests/host/test_*.c tests/*/test_*.sh; do
        [ -e "$source" ] || continue
        source=${source#tests/}
        echo "${source%.*}" | tr / -
    done
}

chosen() {
    for name in ${TESTS:-$(all_tests)}; do
        case " ${SKIP:-} " in
        *" $name "*) ;;
        *) echo "$name" ;;
        esac
    done
}

# shellcheck disable=SC2016 # the inner shell's
one_test='
    name=$1
    path=tests/$(echo "$name" | sed "s,-,/,; s,^unit/double-,unit/double/,")
    start=$(date +%s)
    if [ -e "$path.c" ]; then
        "$BUILD/$path" >"$log/$name.txt" 2>&1
    else
        sh "$path.sh" >"$log/$name.txt" 2>&1
    fi
    case $? in
    0) echo "ok      $name ($(($(date +%s) - start)) s)" ;;
    77) echo "skipped $name: $(tail -n 1 "$log/$name.txt")" ;;
    *)
        echo "FAILED  $name: see $log/$name.txt"
        tail -n 30 "$log/$name.txt"
        ;;
    esac'

alone=${ALONE:-host-}
{
    chosen | grep -v "^$alone" | xargs -r -n 1 -P "${JOBS:-1}" sh -c "$one_test" test
    chosen | grep "^$alone" | xargs -r -n 1 sh -c "$one_test" test
} | tee "$log/results"
passed=$(grep -c '^ok  ' "$log/results")
failed=$(grep -c '^FAILED  ' "$log/results")
skipped=$(grep -c '^skipped ' "$log/results")
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
