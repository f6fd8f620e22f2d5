#!/bin/sh
# Measures, and writes tests/bench/RESULTS.md whole. BUILD is the folder of the programs. BENCH_SHORT=1:
# few rounds, to see that everything runs; BENCH_LONG=1: an hour is rendered as well.
# shellcheck disable=SC2016 # backquotes are Markdown
set -eu
BUILD=${BUILD:-build}
here=tests/bench
bench=$BUILD/tests/bench/bench
model=models/weights/texture.safetensors
python=/usr/bin/python3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
results=$work/results.md
export BENCH_SHORT BENCH_LONG

say() {
    printf '%s\n' "$@" >>"$results"
}

# table COMMAND...: what it prints. One that fails leaves a sentence, and the others go on.
table() {
    echo "bench: $*" >&2
    "$@" >>"$results" || say '' "(\`$*\` failed: there is no such table in this run.)"
    say ''
}

# version NAME COMMAND...: the first line that it prints.
version() {
    name=$1
    shift
    say "- $name: $("$@" 2>/dev/null | head -n 1)"
}

machine() {
    cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
    memory=$(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)
    say "- Machine: $cpu (family, model: $(awk '/^cpu family/ { f = $4 } /^model\t/ { m = $3 } END { print f ", " m }' \
        /proc/cpuinfo)), $(nproc) cores, $memory; Linux $(uname -r)" \
        "- Load at the start: $(cut -d ' ' -f 1-3 /proc/loadavg)"
    version Compiler "${CC:-cc}" --version
    version 'FFTW, single precision' pkg-config --modversion fftw3f
    version 'libsoxr' pkg-config --modversion soxr
    version 'Built from' git describe --always --dirty
}

# tables: those that depend on which kernels OpenBLAS chooses.
tables() {
    say '### Training' '' \
        'A step of the default network on a batch of 8 windows of 256 frames, Gaussian frames for data;' \
        'its matrix products one by one, alone and warm. Required: half of their speed.' \
        "(\`$bench training\`)" ''
    table "$bench" training
    say '### Denoiser' '' \
        'A step of sampling, all frames wanted, with an eighth of what telling a window 8 noise levels takes,' \
        'on each set of instructions; and the matrix products that the network has by definition, in OpenBLAS,' \
        "each layer on weights of its own. (\`$bench forward\`)" ''
    table "$bench" forward
    say '### Rendering' '' \
        "Stereo, 8 steps of DPM-Solver++; parts called by themselves. (\`$bench render\`)" ''
    table "$bench" render
}

say '# What Brume costs' '' \
    "Written by \`make bench\`, $(date -u '+%Y-%m-%d %H:%M') UTC. Processor time of one thread unless a table says" \
    'otherwise, medians of interleaved rounds; "a (b..c)" is a median and the quartiles about it. A machine' \
    'that is busy with other things makes all of it slower, and figures of different tables incomparable.' '' \
    "Figures that other commands make, each beside its own: TRUST.md (fuzzing, faults, sanitizers, coverage), SOAK.md," \
    "EXACT.md, OWN.md (models of one's own sounds), MELODY.md, COMPARE.md, RANKS.md, TORCH.md, PLUGIN.md, all in tests/bench." ''
machine
say ''

if [ -n "${OPENBLAS_CORETYPE:-}" ]; then
    say "## With OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE, as it was set" '' "$("$bench" machine)" ''
    tables
    unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
fi
say '## With the kernels that OpenBLAS chooses by itself' '' "$("$bench" machine)" ''
tables

say '## Beside other programs' '' \
    'The same networks with the same weights in other programs, in turns with Brume. Each is given its fastest' \
    'way of writing the network down. Ratios are of times within a round: above 1 Brume is faster.' '' \
    '### Denoiser, one prediction for one window' '' \
    'Everything that the network is told is worked out anew in each call. Required: 1.05 of onnxruntime at 32' \
    "and 64 frames, 1.5 of torch. What a call through Node costs by itself has been taken off onnxruntime's." ''
table $python $here/peers/beside.py play $model "$BUILD"
say '### Training, one step' '' \
    'Forward, loss, backward, clipping, AdamW and average on a batch of 8 windows of 256 frames. Required: 1.0' \
    'of torch.' ''
table $python $here/peers/beside.py train $model "$BUILD"
say '### Sample tier' '' \
    "Samples a second. Required: 8 times onnxruntime's, 8 times real time." ''
table $python $here/peers/predictor_beside.py models/weights/melody.safetensors tests/prompts/piano.flac "$BUILD"

say '## How cost grows' ''
table $python $here/growth.py $model "$BUILD"

say '## Instructions' '' \
    'By callgrind, with AVX2. These do not depend on how busy the machine is.' \
    '(`tests/bench/instructions/instructions.sh`, which says what had to be pinned)' ''
table sh $here/instructions/instructions.sh "$BUILD"

say '## The plugin' '' \
    'How long a host waits for it, each time in a fresh process; required: 50 ms. (`build/tests/host/load`)' ''
table "$BUILD/tests/host/load"
say 'run() of a block, and an empty loop as long at the same pace in the same run: what takes the' \
    'processor away from both is the machine. Required: 5 us, 99.9 % of the time. (`build/tests/host/runs`)' ''
table "$BUILD/tests/host/runs"
say "Instances at once, blocks of 64 at 48 kHz, ${BENCH_MANY_SECONDS:-20} s each (BENCH_MANY_SECONDS);" \
    'required: 8 without an underrun in 300 s. (`build/tests/host/many 8 300`)' '' \
    '| instances | seconds | underruns | mean share of a core | of a core in all |' '|---|---|---|---|---|'
for count in 8 16; do
    echo "bench: $count instances" >&2
    # It fails if a single underrun is counted: the row says so.
    { "$BUILD/tests/host/many" "$count" "${BENCH_MANY_SECONDS:-20}" || true; } | tail -n 1 >>"$results"
done
say ''

cat $here/TRIED.md >>"$results"
say '' "Load at the end: $(cut -d ' ' -f 1-3 /proc/loadavg)."
cp "$results" $here/RESULTS.md
echo "bench: wrote $here/RESULTS.md" >&2
