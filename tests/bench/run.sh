#!/bin/sh
# Measures, and writes tests/bench/RESULTS.md whole. BUILD is the folder of the programs. With
# BENCH_LONG=1 an hour is rendered, and an hour trained on, as well.
# shellcheck disable=SC2016 # backquotes are Markdown
set -eu
BUILD=${BUILD:-build}
bench=$BUILD/tests/bench/bench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
results=$work/results.md
model=models/weights/texture.safetensors

say() {
    printf '%s\n' "$@" >>"$results"
}

# table COMMAND...: what it prints.
table() {
    echo "bench: $*" >&2
    "$@" >>"$results"
}

# Runs a command; prints "processor seconds, seconds, MiB at most".
cat >"$work/watch.py" <<'PYTHON'
import resource
import subprocess
import sys
import time

start = time.monotonic()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print("%.1f %.1f %.0f" % (used.ru_utime + used.ru_stime, time.monotonic() - start, used.ru_maxrss / 1024))
PYTHON
watch() {
    echo "bench: $*" >&2
    /usr/bin/python3 "$work/watch.py" "$@"
}

# tables: those that depend on which kernels OpenBLAS chooses.
tables() {
    say '### Training' ''
    say "A step of the default network on a batch of 8 windows of 256 frames, Gaussian frames for data;" \
        'its matrix products one by one, alone and warm. Required: half of their speed.' \
        "(\`$bench training\`)" ''
    table "$bench" training
    say '' '### Denoiser' '' \
        "A step of sampling, all frames wanted, with an eighth of what telling a window 8 noise levels takes," \
        'on each set of instructions; and the matrix products that the network has by definition, in OpenBLAS,' \
        "each layer on weights of its own. (\`$bench forward\`)" ''
    table "$bench" forward
    say '' '### Rendering' '' \
        "Stereo, 8 steps of DPM-Solver++; parts called by themselves. (\`$bench render\`)" ''
    table "$bench" render
    say ''
}

# The network that ships may not be there yet: its size is what matters.
if [ ! -e "$model" ]; then
    /usr/bin/python3 - "$work" <<'PYTHON'
import os
import sys

import numpy
import soundfile

os.makedirs(sys.argv[1] + "/sounds/noise")
noise = numpy.random.default_rng(1).standard_normal(44100 * 20) * 0.1
soundfile.write(sys.argv[1] + "/sounds/noise/0.wav", noise.astype("float32"), 44100)
PYTHON
    model=$work/model.safetensors
    "$BUILD/brume" train texture "$work/sounds" -o "$model" --steps 3 --quiet
fi

cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
memory=$(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)
say '# What Brume costs' '' \
    "Written by \`make bench\`, $(date -u '+%Y-%m-%d %H:%M') UTC. Processor time of one thread, medians of" \
    '9 interleaved rounds; a machine that is busy with other things makes all of it slower.' '' \
    "- Machine: $cpu, $(nproc) cores, $memory; load at the start: $(cut -d ' ' -f 1 /proc/loadavg)" \
    "- Compiler: $(${CC:-cc} --version | head -n 1)" \
    "- Built from $(git describe --always --dirty 2>/dev/null || echo 'no repository')" ''

if [ -n "${OPENBLAS_CORETYPE:-}" ]; then
    say "## With OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE, as it was set" '' "$("$bench" machine)" ''
    tables
    unset OPENBLAS_CORETYPE
fi
say '## With the kernels that OpenBLAS chooses by itself' '' "$("$bench" machine)" ''
tables

say '## Memory and time of whole commands' '' \
    '`brume render --seconds S -o OUT.wav`, stereo, 44.1 kHz, the model that ships. Required: an hour in' \
    'under 200 MiB, 5 x real time.' '' \
    '| seconds of sound | processor seconds | x real time | most memory |' '|---|---|---|---|'
for seconds in 10 120 ${BENCH_LONG:+3600}; do
    used=$(watch "$BUILD/brume" render --model "$model" --seconds "$seconds" --quiet -o "$work/out.wav")
    say "$(echo "$used" | awk -v s="$seconds" '{ printf "| %d | %s | %.1f | %s MiB |", s, $1, s / $1, $3 }')"
    rm "$work/out.wav"
done
[ -n "${BENCH_LONG:-}" ] || say '' 'The hour is rendered, and trained on, with `BENCH_LONG=1 make bench`.'

if [ -n "${BENCH_LONG:-}" ]; then
    /usr/bin/python3 - "$work" <<'PYTHON'
import os
import sys

import numpy
import soundfile

os.makedirs(sys.argv[1] + "/hour/noise")
random = numpy.random.default_rng(1)
with soundfile.SoundFile(sys.argv[1] + "/hour/noise/0.flac", "w", 44100, 1, "PCM_16") as file:
    for minute in range(60):
        file.write((0.1 * random.standard_normal(44100 * 60)).astype("float32"))
PYTHON
    used=$(watch "$BUILD/brume" train texture "$work/hour" -o "$work/hour.safetensors" --steps 3 --quiet)
    say '' '`brume train texture HOUR -o OUT --steps 3`, HOUR holding an hour of noise as one flac file.' \
        'Required: under 2 GiB.' '' '| processor seconds | most memory |' '|---|---|' \
        "$(echo "$used" | awk '{ printf "| %s | %s MiB |", $1, $3 }')"
fi
cp "$results" tests/bench/RESULTS.md
echo "bench: wrote tests/bench/RESULTS.md" >&2
