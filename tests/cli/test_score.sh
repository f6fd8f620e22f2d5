#!/bin/sh
# brume score: bits a sample and a note, denoising loss by level; and what it refuses.
. tests/cli/common.sh
verb=score

/usr/bin/python3 "$root/tests/cli/tunes.py" tunes || exit 1
/usr/bin/python3 - <<'PYTHON' || exit 1
import os
import random
import struct
import wave

draw = random.Random(1)

def write(path, values, rate=16000):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with wave.open(path, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframesraw(struct.pack(f"<{len(values)}h", *values))

write("test/noise.wav", [draw.randint(-20000, 20000) for _ in range(16010)])
write("test/silence.wav", [0] * 16000)
for name in ("one", "two"):
    write(f"sounds/rain/{name}.wav", [draw.randint(-9000, 9000) for _ in range(66150)], 44100)
PYTHON
"$brume" train melody tunes -o M.safetensors --steps 12 --no-preview --quiet 2>err.txt || fail "$(cat err.txt)"
"$brume" train texture sounds -o T.safetensors --steps 20 --channels 16 --blocks 2 --batch 2 \
    --no-preview --quiet 2>err.txt || fail "$(cat err.txt)"

"$brume" score M.safetensors test/noise.wav test/silence.wav tunes/sounds/s2.wav \
    tunes/tune3.mid --json >score.json 2>err.txt || fail "score: $(cat err.txt)"
/usr/bin/python3 - <<'PYTHON' || fail "the JSON: $(cat score.json)"
import json
import math

score = json.load(open("score.json"))
files = score["files"]
bits = {entry["file"]: entry.get("bits_per_sample") for entry in files}
assert [entry["file"] for entry in files] == ["test/noise.wav", "test/silence.wav",
                                              "tunes/sounds/s2.wav", "tunes/tune3.mid"]
# White noise over 40001 values can't be told in less than log2(40001) = 15.29 bits.
assert 15.28 < bits["test/noise.wav"] < 17.5, bits
assert bits["test/silence.wav"] < 1.0 < bits["tunes/sounds/s2.wav"] < 12.0, bits
samples = {"test/noise.wav": 16010, "test/silence.wav": 16000, "tunes/sounds/s2.wav": 16000 * 6}
mean = sum(bits[f] * n for f, n in samples.items()) / sum(samples.values())
assert abs(score["bits_per_sample"] - mean) < 1e-3, (score, mean)
assert 0 < score["bits_per_note"] < 15 and score["bits_per_note"] == files[3]["bits_per_note"]
PYTHON
"$brume" score M.safetensors test/noise.wav tunes/tune3.mid tunes/tune4.mid >out.txt 2>err.txt ||
    fail "score in words: $(cat err.txt)"
[ "$(wc -l <out.txt)" -eq 5 ] || fail "not a line a file and two in all: $(cat out.txt)"
[ "$(grep -c ' bits a note    ' out.txt)" -eq 3 ] || fail "notes: $(cat out.txt)"
cp out.txt first.txt
"$brume" score --quiet M.safetensors test/noise.wav tunes/tune3.mid tunes/tune4.mid >out.txt
cmp -s out.txt first.txt || fail "the same files, another score"

"$brume" score T.safetensors sounds/rain/*.wav --json >score.json 2>err.txt ||
    fail "texture: $(cat err.txt)"
/usr/bin/python3 - <<'PYTHON' || fail "the JSON: $(cat score.json)"
import json

score = json.load(open("score.json"))
levels = [entry["half_log_snr"] for entry in score["levels"]]
losses = [entry["loss"] for entry in score["levels"]]
assert score["prediction"] == "v" and levels == sorted(levels) and len(levels) == 10, score
assert levels[0] < -4 and levels[-1] > 3 and all(0 < loss < 3 for loss in losses), score
assert abs(score["loss"] - sum(losses) / 10) < 1e-3, score
# Of nearly clean sound the noise cannot be told: v is that noise, of variance 1.
assert abs(losses[-1] - 1) < 0.15, losses
PYTHON
"$brume" score T.safetensors test/noise.wav --class rain >out.txt 2>err.txt ||
    fail "--class: $(cat err.txt)"
[ "$(wc -l <out.txt)" -eq 12 ] || fail "not a line a level: $(cat out.txt)"

refuse 2 MODEL M.safetensors
refuse 2 --class M.safetensors test/noise.wav --class rain
refuse 2 --wrong M.safetensors test/noise.wav --wrong
refuse 1 missing.safetensors missing.safetensors test/noise.wav
refuse 1 test/noise.wav test/noise.wav test/noise.wav
refuse 1 missing.wav M.safetensors missing.wav
refuse 1 'tunes/cut.mid: byte 18' M.safetensors test/silence.wav tunes/cut.mid
refuse 1 tunes/notes.txt M.safetensors tunes/notes.txt
refuse 1 tunes/few.mid M.safetensors tunes/few.mid
refuse 1 --class T.safetensors test/noise.wav
refuse 1 '"snow"' T.safetensors test/noise.wav --class snow
refuse 1 missing.wav T.safetensors missing.wav
refuse 1 tunes/notes.txt T.safetensors tunes/notes.txt --class rain

finish
