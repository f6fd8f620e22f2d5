#!/bin/sh
# Short runs under valgrind: no invalid or uninitialised memory is used and none leaks. Valgrind's
# processor has AVX2 but no AVX-512, so where the real one has that, other clones of the kernels run
# (models/real.h), and must give the same sound. OpenBLAS is held to a core type that both have.
. tests/cli/common.sh
case $build in
*asan | *tsan) skip "a sanitized program does not run under valgrind" ;;
esac
valgrind --quiet true >/dev/null 2>&1 || skip "valgrind is not installed, or does not run here"
export OPENBLAS_CORETYPE=Prescott

/usr/bin/python3 - <<'PYTHON' || exit 1
import os

import numpy
import soundfile

os.makedirs("sounds/rain")
os.makedirs("sounds/fire")
noise = numpy.random.default_rng(1).standard_normal(44100 * 4) * 0.1
soundfile.write("sounds/rain/0.wav", noise.astype("float32"), 44100)
soundfile.write("sounds/fire/0.wav", (noise ** 3).astype("float32"), 44100)
PYTHON
"$brume" train texture sounds -o tiny.safetensors --steps 3 --channels 16 --blocks 2 --batch 2 \
    --no-preview --quiet || exit 1
head -c 50000 tiny.safetensors >cut.safetensors

# check CODE ARGUMENTS...: brume leaves with CODE, and valgrind has nothing to say.
check() {
    code=$1
    shift
    valgrind --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --quiet \
        --log-file=log.txt "$brume" "$@" >out.txt 2>&1
    got=$?
    [ $got -eq "$code" ] || fail "brume $*: exit code $got, not $code: $(cat log.txt out.txt)"
}

check 0 info tiny.safetensors
check 0 models --json
check 0 render --model tiny.safetensors --seconds 0.2 --steps 2 -o checked.wav
check 0 render --model tiny.safetensors --seconds 0.2 --steps 2 --channels 1 --rate 48000 \
    --sampler ddpm --class rain:2,fire -o checked.flac
check 0 compare sounds/rain sounds/fire/0.wav
check 1 compare sounds/rain cut.safetensors
check 1 render --model cut.safetensors -o bad.wav
check 1 render --model tiny.safetensors --class snow -o bad.wav
check 1 render --model tiny.safetensors --seconds 0.2 -o nowhere/bad.wav
check 2 render --model tiny.safetensors --steps 0 -o bad.wav

"$brume" render --model tiny.safetensors --seconds 0.2 --steps 2 -o real.wav || fail "render"
cmp real.wav checked.wav || fail "valgrind's processor makes another sound than the real one"

finish
