#!/bin/sh
# Runs every test program and script there is; prints one line each, and a total at the end.
# BUILD is the folder that holds the programs.
set -u
BUILD=${BUILD:-build}
export BUILD
passed=0 failed=0 skipped=0
log=$BUILD/tests/log
mkdir -p "$log"

run() {
    name=$1
    shift
    start=$(date +%s)
    if "$@" >"$log/$name.txt" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $name ($(($(date +%s) - start)) s)"
    elif [ $? -eq 77 ]; then
        skipped=$((skipped + 1))
        echo "skipped $name: $(tail -n 1 "$log/$name.txt")"
    else
        failed=$((failed + 1))
        echo "FAILED  $name: see $log/$name.txt"
        tail -n 30 "$log/$name.txt"
    fi
}

for source in tests/unit/test_*.c tests/unit/double/test_*.c tests/host/test_*.c; do
    [ -e "$source" ] || continue
    program=${source%.c}
    run "$(echo "${program#tests/}" | tr / -)" "$BUILD/$program"
done
for script in tests/*/test_*.sh; do
    [ -e "$script" ] || continue
    run "$(echo "${script#tests/}" | tr / - | sed 's/\.sh$//')" sh "$script"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
