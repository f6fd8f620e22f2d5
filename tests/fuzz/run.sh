#!/bin/sh
# Runs every target of libFuzzer for FUZZ_SECONDS, one after another, from the corpus in the
# repository and what earlier runs found, and prints a line of Markdown for each. What makes a
# target fail is kept in BUILD/tests/fuzz/found. BUILD is the folder of the programs; FUZZ_TARGETS
# names some of them.
set -eu
BUILD=${BUILD:-build/fuzz}
seconds=${FUZZ_SECONDS:-600}
targets=${FUZZ_TARGETS:-$(cd tests/fuzz && ls fuzz_*.c | sed 's/^fuzz_//; s/\.c$//')}
found=$BUILD/tests/fuzz/found
mkdir -p "$found"
failed=0
echo "| target | seconds | executions | edges | features | corpus | peak MB | found |"
echo "|---|---|---|---|---|---|---|---|"
for target in $targets; do
    corpus=$BUILD/tests/fuzz/corpus/$target
    log=$BUILD/tests/fuzz/$target.log
    mkdir -p "$corpus"
    dictionary=
    case $target in
    safetensors | texture | melody | checkpoint) dictionary=-dict=tests/fuzz/json.dict ;;
    esac
    # shellcheck disable=SC2086 # one word or none
    "$BUILD/tests/fuzz/fuzz_$target" $dictionary -max_total_time="$seconds" -max_len=16384 \
        -timeout=60 -report_slow_units=60 -rss_limit_mb=1024 -malloc_limit_mb=1024 -artifact_prefix="$found/$target-" \
        -print_final_stats=1 "$corpus" "tests/fuzz/corpus/$target" >"$log" 2>&1 || failed=1
    awk -v target="$target" -v seconds="$seconds" \
        -v found="$(find "$found" -name "$target-*" | wc -l)" '
        / cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") edges = $(i + 1)
                   if ($i == "ft:") features = $(i + 1); if ($i == "corp:") corpus = $(i + 1) } }
        /number_of_executed_units/ { executions = $2 }
        /peak_rss_mb/ { peak = $2 }
        END { printf "| %s | %d | %d | %d | %d | %s | %d | %d |\n", target, seconds, executions, edges,
              features, corpus, peak, found }' "$log"
done
[ "$failed" -eq 0 ] || echo "what failed lies in $found, with logs beside it" >&2
exit $failed
