#!/bin/sh
# brume train: what can be seen and heard of its course, and the report at its end.
. tests/cli/common.sh

# Six classes: noise that crackles, half a minute in four files; a short one; and four that little
# is asked of.
/usr/bin/python3 - <<'PYTHON' || exit 1
import os

import numpy as np
import soundfile as sf

def write(path, seed, seconds):
    random = np.random.default_rng(seed)
    n = int(44100 * seconds)
    swell = 0.3 + np.repeat(random.random(n // 2205 + 1), 2205)[:n]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    sf.write(path, 0.1 * swell * random.standard_normal(n), 44100)

for i in range(4):
    write(f"sounds/fire/f{i}.wav", i, 7)
write("sounds/gusts, no/g.wav", 9, 1)
os.rename("sounds/gusts, no", "sounds/gusts é")
for i, name in enumerate(("hail", "ice", "jets", "kettle")):
    write(f"sounds/{name}/{name}.wav", 10 + i, 0.6)
PYTHON
few="--channels 16 --blocks 1 --batch 2 --seed 3"

# check_files FOLDER CLASSES CLASS...: pictures of so many classes and previews of these are there,
# whole, and no other.
check_files() {
    /usr/bin/python3 - "$@" <<'PYTHON' || fail "the files in $1"
import os
import struct
import sys

import soundfile as sf

folder, names = sys.argv[1], sys.argv[2:]

def size(name):
    data = open(f"{folder}/{name}", "rb").read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n" and data[-8:-4] == b"IEND", name
    return struct.unpack(">II", data[16:24])

assert size("loss.png") == (960, 400), size("loss.png")
assert size("preview.png") == (960, 400 * len(names)), size("preview.png")
wanted = {"loss.csv", "loss.png", "preview.png"} | {f"preview-{name}.wav" for name in names}
assert set(os.listdir(folder)) == wanted, os.listdir(folder)
for name in names:
    sound, rate = sf.read(f"{folder}/preview-{name}.wav")
    assert sound.shape == (5 * 44100, 2) and rate == 44100, (name, sound.shape, rate)
    assert 1e-4 < (sound ** 2).mean() ** 0.5 < 1 and abs(sound[:, 0] - sound[:, 1]).max() > 0, name
PYTHON
}

# The first four classes, each told of.
# shellcheck disable=SC2086
"$brume" train texture sounds -o five.safetensors --steps 2 $few --holdout 0.25 --json \
    >result.json 2>err.txt || fail "five classes: $(cat err.txt)"
check_files five.progress fire 'gusts é' hail ice
grep -q '^see and hear it in five.progress: a preview takes [0-9.]* s$' err.txt ||
    fail "not told where: $(cat err.txt)"
grep -q 'the first 4 of 6 classes:$' err.txt || fail "not told how many: $(cat err.txt)"
"$brume" info five.safetensors --json >info.json || fail "info"
/usr/bin/python3 - <<'PYTHON' || fail "the report: $(cat result.json err.txt)"
import json

result = json.load(open("result.json"))
assert result["preview"] == "five.progress"
fire, gusts, hail, ice = result["report"]
assert fire["class"] == "fire" and gusts["class"] == "gusts é" and ice["class"] == "ice"
assert abs(fire["held_out_s"] - 7) < 0.1 and abs(fire["learnt_s"] - 21) < 0.1, fire
# Two steps: real sound is nearer than what it makes, and nothing can be learnt by heart.
assert 0.7 < fire["recordings"] < 1.5 < fire["total"] and fire["verdict"] == "far", fire
assert fire["memorisation"] > 0.65 and fire["spread"] > 0 and "unknown" not in fire, fire
assert abs(hail["learnt_s"] + hail["held_out_s"] - 0.6) < 0.01, hail
for poor in gusts, hail, ice:
    assert poor["total"] is None and poor["recordings"] is None, poor
    assert poor["verdict"] == "cannot tell" and poor["unknown"], poor
card = json.load(open("info.json"))
assert card["measured"].startswith(f"fire: far, TOTAL {fire['total']:.2f}, recordings "), card
assert "gusts é: cannot tell" in card["measured"], card
PYTHON

# What is heard is what the written model renders.
"$brume" render --model ./five.safetensors --class 'gusts é' --seconds 5 -o gusts.wav --quiet ||
    fail "render"
cmp gusts.wav 'five.progress/preview-gusts é.wav' || fail "a preview is not what is rendered"

# What is reported is what brume compare says of the same sounds.
mkdir held made
held=$(grep -o '"recordings_held_out": "fire/f[0-9]' info.json | tail -c 3)
cp -r sounds/fire learnt
mv "learnt/$held.wav" held
for seed in 1 2 3 4; do
    "$brume" render --model ./five.safetensors --class fire --seconds 6 --seed $seed --channels 1 \
        -o made/$seed.wav --quiet || fail "render"
done
"$brume" compare held made --learnt learnt --json >compare.json || fail "compare"
/usr/bin/python3 - <<'PYTHON' || fail "brume compare says otherwise: $(cat compare.json)"
import json

said = json.load(open("result.json"))["report"][0]
found = json.load(open("compare.json"))
assert said["total"] == found["total"] and said["spread"] == found["spread"], said
assert said["memorisation"] == found["memorisation"]["ratio"], said
PYTHON

mkdir one
cp -r sounds/fire one/fire

# Stopped while it trains: the model so far is heard and measured.
# shellcheck disable=SC2086
start "$brume" train texture one -o bad.safetensors --steps 100000 $few --holdout 0.25
await grep -qs '^usable' out.txt
sleep 0.5
stop INT
[ $code -eq 1 ] || fail "interrupted: exit code $code, not 1: $(cat out.txt err.txt)"
grep -q '^the model is written; a last preview' out.txt || fail "interrupted: $(cat out.txt)"
grep -q '^  fire: TOTAL [0-9.]* (recordings among themselves [0-9.]*), memorisation ' out.txt ||
    fail "interrupted: no report: $(cat out.txt)"
grep -q '; rough, for only 7 s were set aside; 21 s to learn from are little$' out.txt ||
    fail "interrupted: no word of how little there is: $(cat out.txt)"
check_files bad.progress fire
mv bad.safetensors.checkpoint kept.checkpoint

# Curves that are none: told of, and begun anew. What cannot be replaced stays as it is. Training is
# over at once.
# resume WORD: goes on beside bad.progress/loss.csv and warns with WORD.
resume() {
    cp kept.checkpoint bad.safetensors.checkpoint
    # shellcheck disable=SC2086
    timeout 60 "$brume" train texture one -o bad.safetensors --steps 1 $few --holdout 0.25 --resume \
        --quiet >out.txt 2>err.txt || fail "$1: $(cat err.txt)"
    [ -s out.txt ] && fail "--quiet is not: $(cat out.txt)"
    [ -s bad.safetensors ] || fail "$1: no model"
    grep "^brume train: warning: bad.progress" err.txt | grep -qF "$1" ||
        fail "\"$1\" is not in: $(cat err.txt)"
    rm -f bad.safetensors
}
printf 'step,loss,held_out,seconds\n0,0.5,,9\n1,0.5,nan,9\n' >bad.progress/loss.csv
resume 'loss.csv: line 3: is not of the loss curve of a training: a new curve begins'
[ "$(wc -l <bad.progress/loss.csv)" -eq 2 ] || fail "no new curve: $(cat bad.progress/loss.csv)"
rm bad.progress/loss.csv
mkfifo bad.progress/loss.csv
resume 'loss.csv: is not an ordinary file'

# A disk that is full for a preview and not for the model.
(
    ulimit -f 3000
    # shellcheck disable=SC2086
    "$brume" train texture one -o full.safetensors --steps 3 $few >out.txt 2>err.txt
) || fail "a full disk: $(cat err.txt)"
grep -q '^brume train: warning: full.progress/preview-fire.wav: .*File too large' err.txt ||
    fail "a full disk: $(cat err.txt)"
grep -q '^wrote full.safetensors after 3 steps$' out.txt || fail "a full disk: $(cat out.txt)"
[ "$(cd full.progress && echo *)" = 'loss.csv loss.png' ] ||
    fail "a full disk: $(ls -A full.progress)"

# A folder that cannot be made stops nothing. Recordings that are gone, or others, at the end are
# passed over; nothing set aside is told.
touch gone.progress
# shellcheck disable=SC2086
start "$brume" train texture one -o gone.safetensors --steps 30 $few --holdout 0 --save-every 0
await grep -qs '^usable' out.txt
rm one/fire/f1.wav
cp sounds/ice/ice.wav one/fire/f2.wav
collect
[ $code -eq 0 ] || fail "recordings that are gone: $(cat err.txt)"
grep -q '^brume train: gone.progress: this folder .*: File exists; training goes on' err.txt ||
    fail "a folder that cannot be made: $(cat err.txt)"
grep -q '^brume train: warning: left out of the report: one/fire/f1.wav: ' err.txt ||
    fail "one that is gone: $(cat err.txt)"
grep -q '^brume train: warning: left out of the report: one/fire/f2.wav: is another sound' err.txt ||
    fail "one that is another: $(cat err.txt)"
grep -q '^  fire: memorisation [0-9.]*: cannot tell how near it is: nothing was set aside;' \
    out.txt || fail "nothing set aside: $(cat out.txt)"
grep -q '; 14 s to learn from are little$' out.txt || fail "little: $(cat out.txt)"

finish
