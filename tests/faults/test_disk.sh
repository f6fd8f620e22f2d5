#!/bin/sh
# A disk that fills while training writes its checkpoint: the message says so, the checkpoint before is
# as it was, nothing half-written is left, and training goes on from there once there is room.
# (What fills while sound is written is tried in tests/cli.) BUILD is the folder of the programs.
set -u
brume=$(realpath "${BUILD:-build}/brume")
seconds=2 # for the first step to be done
case ${BUILD:-build} in
*asan | *ubsan | *tsan) seconds=10 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export HOME="$work"
failures=0

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

/usr/bin/python3 - <<'PYTHON' || exit 1
import os

import numpy
import soundfile

os.makedirs("sounds/rain")
noise = numpy.random.default_rng(1).standard_normal(44100 * 4) * 0.1
soundfile.write("sounds/rain/0.wav", noise.astype("float32"), 44100)
PYTHON

# train ARGUMENTS...: trains until it is interrupted, after some steps; sets code.
train() {
    "$brume" train texture sounds -o tiny.safetensors --steps 100000 --channels 16 --blocks 2 --batch 1 \
        "$@" >out.txt 2>err.txt &
    pid=$!
    sleep $seconds
    kill -INT $pid
    wait $pid
    code=$?
}

train
[ $code -eq 1 ] && [ -s tiny.safetensors.checkpoint ] || fail "no checkpoint: $(cat err.txt)"
cp tiny.safetensors.checkpoint before
(ulimit -f 16 && train --resume && [ $code -eq 1 ] && grep -q "cannot be written (File too large)" err.txt) ||
    fail "a full disk, code $?: $(cat err.txt)"
cmp before tiny.safetensors.checkpoint || fail "the checkpoint was changed"
[ "$(find . -name '.*.tmp' | wc -l)" -eq 0 ] || fail "something half-written is left"
train --resume
grep -q "interrupted at step" err.txt || fail "it does not go on: $(cat err.txt)"
cmp -s before tiny.safetensors.checkpoint && fail "it did not go on"

[ $failures -eq 0 ]
