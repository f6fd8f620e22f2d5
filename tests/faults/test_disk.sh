#!/bin/sh
# A disk that fills while training writes its checkpoint: the message says so, training goes on, the
# checkpoint before is as it was, nothing half-written is left, and once there is room it is written.
# What a killed training left half-written is removed by the next.
# (What fills while sound is written is tried in tests/cli.)
. tests/cli/common.sh
seconds=1 # for the first step to be done, once training has begun
case $build in
*asan | *tsan) seconds=3 ;;
esac

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
    start "$brume" train texture sounds -o tiny.safetensors --steps 100000 --channels 16 --blocks 2 --batch 1 \
        --no-preview "$@"
    await grep -qs '^usable' out.txt
    sleep $seconds
    stop INT
}

train
{ [ $code -eq 1 ] && [ -s tiny.safetensors.checkpoint ]; } || fail "no checkpoint: $(cat err.txt)"
cp tiny.safetensors.checkpoint before
(ulimit -f 16 && train --resume && [ $code -eq 1 ] && grep -q "cannot be written (File too large)" err.txt) ||
    fail "a full disk, code $?: $(cat err.txt)"
cmp before tiny.safetensors.checkpoint || fail "the checkpoint was changed"
[ "$(find . -name '.*.tmp' | wc -l)" -eq 0 ] || fail "something half-written is left"
train --resume
grep -q "interrupted at step" err.txt || fail "it does not go on: $(cat err.txt)"
cmp -s before tiny.safetensors.checkpoint && fail "it did not go on"

# Room for the model but not for the checkpoint, until it is made while training goes on.
blocks=$((($(stat -c %s tiny.safetensors) + $(stat -c %s tiny.safetensors.checkpoint)) / 1024))
cp tiny.safetensors.checkpoint before
start prlimit --fsize=$((512 * blocks)): "$brume" train texture sounds -o tiny.safetensors --steps 100000 \
    --channels 16 --blocks 2 --batch 1 --resume --save-every 0 --no-preview
await grep -qs "cannot be written (File too large).*training goes on" err.txt
kill -0 "$training" || fail "a full disk ended it: $(cat err.txt)"
cmp before tiny.safetensors.checkpoint || fail "the checkpoint was changed while the disk was full"
prlimit --pid "$training" --fsize=unlimited
# shellcheck disable=SC2317 # await calls it
written() {
    ! cmp -s before tiny.safetensors.checkpoint
}
await written
stop INT
{ [ $code -eq 1 ] && grep -q "resume goes on" err.txt; } || fail "it was not interrupted: $(cat err.txt)"

# The same, but there never is room: it says that what was learnt since cannot be gone on from.
cp tiny.safetensors.checkpoint before
(ulimit -f $blocks && train --resume && [ $code -eq 1 ] && grep -q "the checkpoint before" err.txt) ||
    fail "no room at the end, code $?: $(cat err.txt)"
cmp before tiny.safetensors.checkpoint || fail "the checkpoint was changed at the end"
"$brume" info tiny.safetensors >/dev/null || fail "the model of the end is not whole"

# What nobody is writing goes; what somebody is writing (who holds a lock) stays.
left=.tiny.safetensors.checkpoint.0dead0.tmp
held=.tiny.safetensors.checkpoint.000111.tmp
touch $left $held
exec 9<>$held
flock 9
train --resume
[ ! -e $left ] || fail "what a killed training left is still there"
[ -e $held ] || fail "another training's file was removed"

finish
