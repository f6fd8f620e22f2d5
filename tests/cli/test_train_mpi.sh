#!/bin/sh
# brume train by several processes: the curve of one, the same bits again, one line for what is wrong,
# and a whole checkpoint when one of them is killed. BUILD is the folder of the programs. Skipped
# where the command could not be built with MPI (`make deps MPI=1` installs it).
set -u
brume=$(realpath "${BUILD:-build}/tests/cli/brume-mpi")
alone=$(realpath "${BUILD:-build}/brume")
if [ ! -x "$brume" ] || ! command -v mpirun >/dev/null; then
    echo "no MPI: make deps MPI=1 installs it"
    exit 77
fi
work=$(mktemp -d)
training=
trap '[ -z "$training" ] || kill "$training" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
# Also as root, and with more processes than cores; Open MPI's sockets lie where paths are short.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 TMPDIR=/tmp
run="mpirun --oversubscribe"
small="--channels 16 --blocks 1 --batch 3 --seed 3 --holdout 0.3"

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# What brume itself has said, without warnings and what mpirun adds.
said() {
    grep '^brume' err.txt | grep -v 'warning: '
}

# refuse WORD COMMAND...: it fails, and says WORD in the only line that is brume's; leaves nothing.
refuse() {
    word=$1
    shift
    timeout 60 "$@" >out.txt 2>err.txt && fail "$*: did not fail"
    [ "$(said | grep -c .)" -eq 1 ] || fail "$*: not one line: $(cat err.txt)"
    said | grep -qF -e "$word" || fail "$*: \"$word\" is not in: $(cat err.txt)"
    [ -z "$(find . -name 'bad*' -o -name '.*.tmp')" ] || fail "$*: left a file"
}

/usr/bin/python3 - <<'PYTHON' || exit 1
import os
import random
import struct
import wave

noise = random.Random(1)
for i in range(4):
    os.makedirs("sounds/rain", exist_ok=True)
    values = [int(9000 * noise.uniform(-1, 1)) for _ in range(44100)]
    with wave.open(f"sounds/rain/{i}.wav", "wb") as file:
        file.setparams((1, 2, 44100, 0, "NONE", ""))
        file.writeframesraw(struct.pack(f"<{len(values)}h", *values))
PYTHON
cp -r sounds other
rm other/rain/0.wav

# The same curve to rounding, whatever their number; the same bits when it is the same.
for one in 1:one 2:two 3:three 3:again; do
    # shellcheck disable=SC2086
    timeout 120 $run -n "${one%:*}" "$brume" train texture sounds -o "${one#*:}.safetensors" --steps 8 \
        $small --json >"${one#*:}.json" 2>err.txt || fail "${one%:*} processes: $(cat err.txt)"
done
# The card tells how long it took; the tensors follow it.
for one in three again; do
    tail -c 100000 $one.safetensors >$one.end
done
cmp three.end again.end || fail "three processes again: other weights"
/usr/bin/python3 - <<'PYTHON' || fail "several processes leave the curve of one"
import json

one = json.load(open("one.json"))
for name in ("two", "three"):
    several = json.load(open(name + ".json"))
    print(name, {key: several[key] - one[key] for key in ("loss", "held_out_loss")})
    for key in ("loss", "held_out_loss"):
        assert abs(several[key] - one[key]) < 5e-6 * one[key], (name, key, several, one)
    assert several["steps"] == one["steps"] == 8, several
PYTHON

# What is wrong is told once.
# shellcheck disable=SC2086
{
    refuse 'missing: ' $run -n 3 "$brume" train texture missing -o bad.safetensors $small
    refuse '--wrong' $run -n 3 "$brume" train texture sounds -o bad.safetensors --wrong
    refuse '--batch 4' $run -n 4 "$brume" train texture sounds -o bad.safetensors $small
    refuse 'process 1 on ' $run -n 1 "$brume" train texture sounds -o bad.safetensors $small : \
        -n 1 "$brume" train texture missing -o bad.safetensors $small
    refuse 'has read other sound' $run -n 1 "$brume" train texture sounds -o bad.safetensors $small : \
        -n 1 "$brume" train texture other -o bad.safetensors $small
    refuse 'without mpirun' $run -n 2 "$brume" train melody sounds -o bad.safetensors
    ldd "$alone" | grep -q libmpi ||
        refuse 'make MPI=1' $run -n 2 "$alone" train texture sounds -o bad.safetensors $small
}

# begin NAME: starts three of them on a training that would take hours, and lets them take about four steps.
# mpirun waits three seconds, not one, before it kills: the disk may be busy.
begin() {
    rm -f out.txt
    # shellcheck disable=SC2086
    $run --mca odls_base_sigkill_timeout 3 -n 3 "$brume" train texture sounds -o "$1.safetensors" --steps 100000 $small \
        >out.txt 2>err.txt &
    training=$!
    waited=0
    while ! grep -qs '^usable after' out.txt && [ $waited -lt 600 ] && kill -0 $training 2>/dev/null; do
        sleep 0.1
        waited=$((waited + 1))
    done
    sleep "$(awk '/^this machine:/ { print 1 + 4 / $3 }' out.txt)"
}

# rank N: the process with that number.
rank() {
    for process in $(pgrep -P "$training"); do
        tr '\0' '\n' <"/proc/$process/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$1" && echo "$process"
    done
}

# end NAME: they end, and not well; a checkpoint is there.
end() {
    timeout 30 tail --pid="$training" -f /dev/null || fail "$1: it hangs"
    wait "$training" && fail "$1: exit code 0"
    training=
    steps=$(grep -ao ' step=[0-9]*' "$1.safetensors.checkpoint" | tr -dc 0-9)
    [ "${steps:-0}" -gt 0 ] || fail "$1: no checkpoint: $(cat err.txt)"
}

begin killed
kill -KILL "$(rank 1)"
end killed
said | grep -q 'killed.safetensors.checkpoint is whole, .*--resume' || fail "killed: $(cat err.txt)"
grep -q 'rank 1 .*signal 9' err.txt || fail "killed: not told which: $(cat err.txt)"
# shellcheck disable=SC2086
timeout 120 "$alone" train texture sounds -o killed.safetensors --resume --steps $((steps + 2)) $small \
    >out.txt 2>err.txt || fail "not resumed by one process: $(cat err.txt)"
grep -q "goes on at step $steps\$" out.txt || fail "resumed: $(cat out.txt)"

# Ctrl-C: a checkpoint, and the model too where a step takes less time than they are given.
begin interrupted
kill -INT "$training"
end interrupted

begin stopped
kill -USR1 "$training"
end stopped
said | grep -q 'interrupted at step [0-9]*: .*stopped.safetensors; --resume' ||
    fail "stopped: $(cat err.txt)"
[ -s stopped.safetensors ] || fail "stopped: no model"
[ -z "$(find . -name '.stopped.*.tmp')" ] || fail "stopped: a temporary file is still there"

[ $failures -eq 0 ]
