#!/bin/sh
# brume train by several processes: the curve of one, the same bits again, one line for what is wrong,
# and a whole checkpoint when one of them is killed. Skipped where the command could not be built with MPI
# (`make deps MPI=1` installs it).
. tests/cli/common.sh
several=$build/tests/cli/brume-mpi
{ [ -x "$several" ] && command -v mpirun >/dev/null; } || skip "no MPI: make deps MPI=1 installs it"
# Also as root, and with more processes than cores; Open MPI's sockets lie where paths are short.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 TMPDIR=/tmp
run="mpirun --oversubscribe"
small="--channels 16 --blocks 1 --batch 3 --seed 3 --holdout 0.3"

# What brume itself has said, without warnings and what mpirun adds.
said() {
    grep '^brume' err.txt | grep -v 'warning: '
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
    timeout 120 $run -n "${one%:*}" "$several" train texture sounds -o "${one#*:}.safetensors" --steps 8 \
        $small --json >"${one#*:}.json" 2>err.txt || fail "${one%:*} processes: $(cat err.txt)"
done
tensors three.safetensors again.safetensors || fail "three processes again: other weights"
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

# What is wrong is told once, also what is no reason to stop.
echo words >sounds/rain/words.txt
# shellcheck disable=SC2086
timeout 120 $run -n 3 "$several" train texture sounds -o words.safetensors --steps 1 $small --quiet >out.txt 2>err.txt
[ "$(grep -c 'skipped: sounds/rain/words.txt' err.txt)" -eq 1 ] || fail "a file that is none: $(cat err.txt)"
rm sounds/rain/words.txt
# shellcheck disable=SC2086
{
    refuse_command 1 'missing: ' $run -n 3 "$several" train texture missing -o bad.safetensors $small
    refuse_command 2 '--wrong' $run -n 3 "$several" train texture sounds -o bad.safetensors --wrong
    refuse_command 1 '--batch 4' $run -n 4 "$several" train texture sounds -o bad.safetensors $small
    refuse_command 1 'process 1 on ' $run -n 1 "$several" train texture sounds -o bad.safetensors $small : \
        -n 1 "$several" train texture missing -o bad.safetensors $small
    refuse_command 1 'has read other sound' $run -n 1 "$several" train texture sounds -o bad.safetensors $small : \
        -n 1 "$several" train texture other -o bad.safetensors $small
    refuse_command 1 'without mpirun' $run -n 2 "$several" train melody sounds -o bad.safetensors
    ldd "$brume" | grep -q libmpi ||
        refuse_command 1 'make MPI=1' $run -n 2 "$brume" train texture sounds -o bad.safetensors $small
}

# begin NAME: starts three of them on a training that would take hours, and lets them take about four steps.
# mpirun waits three seconds, not one, before it kills: the disk may be busy.
begin() {
    # shellcheck disable=SC2086
    start $run --mca odls_base_sigkill_timeout 3 -n 3 "$several" train texture sounds -o "$1.safetensors" \
        --steps 100000 $small
    await grep -qs '^usable after' out.txt
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
    collect
    [ $code -ne 0 ] || fail "$1: exit code 0"
    steps=$(grep -ao ' step=[0-9]*' "$1.safetensors.checkpoint" | tr -dc 0-9)
    [ "${steps:-0}" -gt 0 ] || fail "$1: no checkpoint: $(cat err.txt)"
}

begin killed
kill -KILL "$(rank 1)"
end killed
said | grep -q 'killed.safetensors.checkpoint is whole, .*--resume' || fail "killed: $(cat err.txt)"
grep -q 'rank 1 .*signal 9' err.txt || fail "killed: not told which: $(cat err.txt)"
# shellcheck disable=SC2086
timeout 120 "$brume" train texture sounds -o killed.safetensors --resume --steps $((steps + 2)) $small \
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

finish
