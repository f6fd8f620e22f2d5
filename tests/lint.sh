#!/bin/sh
# Static analysis of all that ships: clang-tidy (.clang-tidy says what it looks for), cppcheck, and
# clocks that jump. usage: lint.sh CFLAGS: what the sources are compiled with.
#
# cppcheck's uninitvar is left out: arrays that a function fills are uninitialised to it (clang's
# analyser, valgrind and gcc look for the same), and so is invalidFunctionArg, which does not see
# that a branch before has excluded the value.
set -u
failures=0
printf '%s\n' dsp/*.c models/*.c plugin/*.c cli/*.c cli/*/*.c |
    xargs -n 8 -P "${JOBS:-1}" sh -c 'flags=$1; shift; clang-tidy --quiet "$@" -- $flags 2>/dev/null' lint "$*" ||
    failures=$((failures + 1))
cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr -j "${JOBS:-1}" \
    --suppress=missingIncludeSystem --suppress=uninitvar --suppress=invalidFunctionArg -I. -D__x86_64__ \
    '-DBRUME_VERSION=""' --error-exitcode=1 dsp models plugin cli || failures=$((failures + 1))
if grep -nE 'CLOCK_REALTIME|gettimeofday|[^_a-z]time\(' dsp/*.c models/*.c plugin/*.c cli/*.c; then
    echo "lint: a clock that the user or the network can set: take CLOCK_MONOTONIC"
    failures=$((failures + 1))
fi
[ $failures -eq 0 ] && echo "lint: clean"
