#!/bin/sh
# Gives the corpus, what fuzzing found interesting and what once went wrong, to every target again, with
# no more than 1 GiB of address space where no sanitizer needs more. BUILD is the folder of the programs.
set -u
BUILD=${BUILD:-build}
case $BUILD in
*asan | *tsan) ;;
*) ulimit -v 1048576 ;;
esac
failures=0
for corpus in tests/fuzz/corpus/*; do
    target=${corpus##*/}
    log=$BUILD/tests/fuzz/$target.txt
    if ! "$BUILD/tests/fuzz/fuzz_$target" "$corpus" >"$log" 2>&1; then
        echo "FAILED: $target: $(tail -n 3 "$log")"
        failures=$((failures + 1))
    fi
done
[ "$failures" -eq 0 ]
