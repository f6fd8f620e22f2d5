#!/bin/sh
# usage: instructions.sh BUILD: how many instructions a fixed render and a fixed continuation take, by
# callgrind, as a table in Markdown. Fails if two runs of one command differ.
#
# What is pinned, so that they do not: the environment and the layout of memory (setarch -R); OpenBLAS's
# kernels, by name; all others by the processor that valgrind plays, which has AVX2 and not AVX-512; one
# thread; and what tests/bench/instructions/steady.c says.
# shellcheck disable=SC2016 # backquotes are Markdown
set -eu
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# count NAME COMMAND...: prints how many instructions it takes.
count() {
    name=$1
    shift
    env -i PATH=/usr/bin:/bin LC_ALL=C OPENBLAS_CORETYPE=Haswell OMP_NUM_THREADS=1 \
        LD_PRELOAD="$build/tests/bench/steady.so" setarch -R valgrind --tool=callgrind \
        --callgrind-out-file=/dev/null "$@" >"$work/$name.log" 2>&1 || {
        cat "$work/$name.log" >&2
        exit 1
    }
    sed -n 's/.*Collected : //p' "$work/$name.log"
}

# row WHAT COMMAND...: two runs at once, each in a folder of its own with a name as long as the other's.
row() {
    what=$1
    shift
    mkdir -p "$work/1" "$work/2"
    count second "$@" -o "$work/2/out.wav" >"$work/second" &
    count first "$@" -o "$work/1/out.wav" >"$work/first"
    wait $!
    first=$(cat "$work/first")
    if [ "$first" != "$(cat "$work/second")" ]; then
        echo "instructions.sh: $what: $first and $(cat "$work/second") instructions" >&2
        exit 1
    fi
    echo "| $what | $first |"
}

printf '| command | instructions, twice the same |\n|---|---|\n'
row '`brume render --seconds 0.5 --steps 2 --channels 1`' "$build/brume" render --quiet \
    --model models/weights/texture.safetensors --seed 1 --seconds 0.5 --steps 2 --channels 1
/usr/bin/python3 - "$work/tune.wav" <<'PYTHON'
import sys

import soundfile

tune, rate = soundfile.read("tests/prompts/piano.flac")
soundfile.write(sys.argv[1], tune[: 3 * rate], rate)
PYTHON
row 'three seconds of tests/prompts/piano.flac, `brume continue --seconds 0.1`' "$build/brume" continue --quiet \
    "$work/tune.wav" --model models/weights/melody.safetensors --seed 1 --seconds 0.1
