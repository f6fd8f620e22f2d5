#!/bin/sh
# brume train: a folder of sounds becomes a model; interrupted and resumed, the same model to the
# bit; and what it refuses.
. tests/cli/common.sh
verb=train

# What it says beside warnings.
said() {
    grep -v 'skipped: \|warning: ' err.txt
}

/usr/bin/python3 - <<'PYTHON' || exit 1
import math
import os
import random
import struct
import wave

noise = random.Random(1)

def write(path, rate, channels, seconds, level=0.3):
    """Noise that swells, other in each channel."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    values = []
    for i in range(int(rate * seconds)):
        swell = level * (0.6 + 0.4 * math.sin(6.0 * i / rate))
        values += [int(32000 * swell * noise.uniform(-1, 1)) for _ in range(channels)]
    with wave.open(path, "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframesraw(struct.pack(f"<{len(values)}h", *values))

write("sounds/rain/one.wav", 44100, 1, 1.5)
write("sounds/rain/two.wav", 22050, 2, 1.5)
write("sounds/waves/sea-A.wav", 48000, 2, 1.0)
write("sounds/waves/sea-B.wav", 16000, 1, 2.0)
write("sounds/waves/silent.wav", 8000, 1, 1.0, 0.0)
write("sounds/waves/short.wav", 44100, 1, 0.05)
open("sounds/rain/notes.txt", "w").write("recorded by the sea\n")
open("sounds/rain/empty.wav", "w").close()
samples = [0.1] * 44100
samples[400] = float("nan")
data = struct.pack("<44100f", *samples)
with open("sounds/waves/nan.wav", "wb") as file:
    file.write(b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt ")
    file.write(struct.pack("<IHHIIHH", 16, 3, 1, 44100, 4 * 44100, 4, 32))
    file.write(b"data" + struct.pack("<I", len(data)) + data)
os.makedirs("nothing/rain")
open("nothing/rain/notes.txt", "w").write("no sound\n")
os.makedirs("commas")
os.link("sounds/rain/one.wav", "commas/one.wav")
os.makedirs("named/rain, heavy")
os.link("sounds/rain/one.wav", "named/rain, heavy/one.wav")
PYTHON
mkdir hollow
touch file

seen="--channels 16 --blocks 2 --batch 2 --seed 3"
small="$seen --no-preview"

# shellcheck disable=SC2086
"$brume" train texture sounds -o M.safetensors --steps 30 $small --licence CC0 >out.txt 2>err.txt ||
    fail "training: $(cat err.txt)"
[ -s M.safetensors ] || fail "no model"
[ -e M.safetensors.checkpoint ] && fail "the checkpoint is still there"
[ -z "$(find . -name '.*.tmp')" ] || fail "a temporary file is still there"
for file in rain/notes.txt rain/empty.wav waves/nan.wav waves/silent.wav waves/short.wav; do
    [ "$(grep -c "^brume train: skipped: sounds/$file: ..*" err.txt)" -eq 1 ] ||
        fail "not one line about $file: $(cat err.txt)"
done
for class in rain waves; do
    grep -q "^brume train: warning: class \"$class\": [0-9]* seconds .*a minute or more" err.txt ||
        fail "no warning of little sound in $class: $(cat err.txt)"
    grep -q "^brume train: warning: sounds/$class: its recordings have rates from .* Hz" err.txt ||
        fail "no warning of low rates in $class: $(cat err.txt)"
done
[ "$(wc -l <err.txt)" -eq 9 ] || fail "more on standard error than warnings: $(cat err.txt)"
grep -q '^this machine: [0-9.]* steps/s, [0-9]* MB of memory; 30 steps take about ' out.txt ||
    fail "no measure of the machine: $(cat out.txt)"
grep -q '^usable after about .* steps), good after about ' out.txt ||
    fail "nothing on when the model is usable: $(cat out.txt)"
grep -q '^4 recordings, 0.1 minutes, in 2 classes$' out.txt || fail "found: $(cat out.txt)"
grep -q '^step 30/30  loss .*held-out ' out.txt || fail "no step line: $(cat out.txt)"
grep -q '^wrote M.safetensors after 30 steps$' out.txt || fail "no last line: $(cat out.txt)"
/usr/bin/python3 - <<'PYTHON' || fail "the model's metadata"
import json
import struct

data = open("M.safetensors", "rb").read()
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + size])
card = header.pop("__metadata__")
config = json.loads(card["config"])
assert card["kind"] == "brume.texture" and card["licence"] == "CC0", card
assert config["classes"] == ["rain", "waves"] and config["channels"] == 16, config
assert "seed 3" in card["training"] and "30 steps of 30" in card["training"], card
for name in ("one", "two"):
    assert "rain/" + name in card["recordings"], card
assert "waves/sea (its end)" in card["recordings_held_out"], card
for name, entry in header.items():
    raw = data[8 + size:][slice(*entry["data_offsets"])]
    kind = {"F16": "e", "F32": "f"}[entry["dtype"]]
    values = [v[0] for v in struct.iter_unpack("<" + kind, raw)]
    assert all(abs(v) < 100 for v in values), name
    if name == "normaliser.quantiles":
        rows = [values[i:i + 33] for i in range(0, len(values), 33)]
        assert all(a < b for row in rows for a, b in zip(row, row[1:])), "quantiles do not rise"
PYTHON
"$brume" info M.safetensors >info.txt 2>&1 || fail "the model cannot be opened: $(cat info.txt)"

# The same seed, the same model; in silence where it was asked for; another seed, another.
# shellcheck disable=SC2086
"$brume" train texture sounds -o again.safetensors --steps 30 $small --quiet >out.txt 2>err.txt ||
    fail "training again"
[ -s out.txt ] && fail "--quiet is not: $(cat out.txt)"
tensors M.safetensors again.safetensors || fail "the same seed made another model"
"$brume" train texture sounds -o bad.safetensors --steps 2 --channels 16 --blocks 1 --batch 2 \
    --class waves --holdout 0 --no-preview --json >result.json 2>err.txt || fail "--json"
/usr/bin/python3 -c '
import json
result = json.load(open("result.json"))
assert result["model"] == "bad.safetensors" and result["steps"] == 2, result
assert result["loss"] > 0 and "held_out_loss" not in result, result
' || fail "the JSON: $(cat result.json)"
rm -f bad.safetensors

# What is wrong with a recording that can be used is told before training; strange names are none.
mkdir -p "ill/größer & weiter" ill/gone
/usr/bin/python3 - <<'PYTHON' || exit 1
import math
import random
import struct
import wave

noise = random.Random(2)

def write(name, values):
    with wave.open("ill/größer & weiter/" + name, "wb") as file:
        file.setparams((1, 2, 44100, 0, "NONE", ""))
        file.writeframesraw(struct.pack(f"<{len(values)}h", *values))

plain = [int(8000 * noise.uniform(-1, 1)) for _ in range(44100)]
write("fine é.wav", plain)
write("off.wav", [v + 4000 for v in plain])
write("hot.wav", [max(-32768, min(32767, int(60000 * math.sin(i / 7)))) for i in range(44100)])
write("gaps.wav", [v if i < 15000 else 0 for i, v in enumerate(plain)])
PYTHON
"$brume" train texture ill -o bad.safetensors --steps 1 --channels 16 --blocks 1 --batch 2 \
    --no-preview >out.txt 2>err.txt || fail "ill recordings: $(cat err.txt)"
place='^brume train: warning: ill/größer & weiter'
grep -q "$place/off.wav: .*off centre by 0.12.*taken out" err.txt || fail "offset: $(cat err.txt)"
grep -q "$place/hot.wav: .* is clipped" err.txt || fail "clipping: $(cat err.txt)"
grep -q "$place/gaps.wav: 6[0-9] % of it is silence" err.txt || fail "silence: $(cat err.txt)"
grep -q 'fine' err.txt && fail "a warning of a good recording: $(cat err.txt)"
"$brume" info bad.safetensors | grep -q 'größer & weiter/fine é' || fail "names: not as they are"
rm bad.safetensors
if [ "$(id -u)" -ne 0 ]; then
    chmod a-rx ill/gone
    refuse 1 'give yourself the right' texture ill -o bad.safetensors --steps 1
fi

# A disk that has too little room, where one can be had.
mkdir disk
if unshare -rm mount -t tmpfs -o size=1m none disk 2>/dev/null; then
    unshare -rm sh -c "mount -t tmpfs -o size=1m none disk &&
        '$brume' train texture sounds -o disk/bad.safetensors --steps 1 --channels 64 --blocks 2 --batch 2
        echo \$?; ls -A disk" >out.txt 2>err.txt
    [ "$(cat out.txt)" = 1 ] || fail "a small disk: $(cat out.txt err.txt)"
    grep -q '^brume train: disk/bad.safetensors: model and checkpoint need [0-9]* MB, and 1 MB are' \
        err.txt || fail "a small disk: $(cat err.txt)"
fi

# Ten files of two seconds are enough, with something held out.
/usr/bin/python3 - <<'PYTHON' || exit 1
import os
import random
import struct
import wave

noise = random.Random(3)
os.makedirs("ten")
for i in range(10):
    values = [int(9000 * noise.uniform(-1, 1)) for _ in range(2 * 44100)]
    with wave.open(f"ten/take{i}.wav", "wb") as file:
        file.setparams((1, 2, 44100, 0, "NONE", ""))
        file.writeframesraw(struct.pack(f"<{len(values)}h", *values))
PYTHON
"$brume" train texture ten -o bad.safetensors --steps 2 --channels 16 --blocks 1 --batch 2 \
    --no-preview --json >result.json 2>err.txt || fail "ten short files: $(cat err.txt)"
grep -q '"held_out_loss": [0-9]' result.json || fail "ten short files: nothing held out"
rm bad.safetensors

# Trained on from a model: of its own network and classes, and its card says so.
"$brume" train texture sounds -o more.safetensors --steps 3 --batch 2 --seed 3 --from M.safetensors \
    --no-preview >out.txt 2>err.txt || fail "from a model: $(cat err.txt)"
"$brume" info more.safetensors --json | /usr/bin/python3 -c '
import json, sys
card = json.load(sys.stdin)
assert json.loads(card["config"])["channels"] == 16, card
assert card["training"].startswith("3 steps of 3"), card
assert card["from"].startswith("M.safetensors: 30 steps of 30"), card
' || fail "the card of what was trained on from a model"
refuse 2 --from texture sounds -o bad.safetensors --steps 2 --from M.safetensors --channels 16
refuse 1 missing.safetensors texture sounds -o bad.safetensors --steps 2 --from missing.safetensors
# With other classes, and fewer; and the shipped model is what is started from.
mkdir -p renamed/rain renamed/sea
ln sounds/rain/one.wav renamed/rain/one.wav
ln sounds/rain/two.wav renamed/sea/two.wav
"$brume" train texture renamed -o other.safetensors --steps 2 --batch 2 --from M.safetensors \
    --no-preview >out.txt 2>err.txt || fail "from a model of other classes: $(cat err.txt)"
"$brume" info other.safetensors --json | /usr/bin/python3 -c '
import json, sys
config = json.loads(json.load(sys.stdin)["config"])
assert config["channels"] == 16 and config["classes"] == ["rain", "sea"], config
' || fail "classes of what was trained on from a model of others"
rm other.safetensors
BRUME_MODELS=$work "$brume" train texture sounds -o bad.safetensors --steps 2 --batch 2 --class rain \
    --from none --channels 16 --blocks 1 --no-preview >out.txt 2>err.txt || fail "--from none: $(cat err.txt)"
"$brume" info bad.safetensors --json | grep -q '"from"' && fail "--from none started from a model"
cp M.safetensors texture.safetensors
BRUME_MODELS=$work "$brume" train texture sounds -o bad.safetensors --steps 2 --batch 2 --class rain \
    --no-preview >out.txt 2>err.txt || fail "from the default: $(cat err.txt)"
"$brume" info bad.safetensors --json | grep -q '"from": *"texture.safetensors: 30 steps' ||
    fail "the default is not the model \"texture\": $("$brume" info bad.safetensors --json)"
rm bad.safetensors texture.safetensors

# Interrupted between two evaluations, then resumed, with previews. The whole run, which has none,
# is the one to be met.
# shellcheck disable=SC2086
"$brume" train texture sounds -o whole.safetensors --steps 500 $small >out.txt 2>err.txt ||
    fail "the whole run"
# shellcheck disable=SC2086
start "$brume" train texture sounds -o parts.safetensors --steps 500 $seen --save-every 0.05
await grep -qs '^step 160/' out.txt
stop INT
[ $code -eq 1 ] || fail "interrupted: exit code $code, not 1: $(cat out.txt err.txt)"
grep -q '^brume train: interrupted at step [0-9]*: .*parts.safetensors.*--resume' err.txt ||
    fail "interrupted: $(cat err.txt)"
[ -s parts.safetensors ] || fail "interrupted: no model so far"
[ -s parts.safetensors.checkpoint ] || fail "interrupted: no checkpoint"
cp parts.safetensors.checkpoint bad.checkpoint
cp parts.progress/loss.csv before.csv
# A point beyond where it stands is passed again.
echo '499,9,9,9' >>parts.progress/loss.csv
# shellcheck disable=SC2086
"$brume" train texture sounds -o parts.safetensors --steps 500 $seen --resume >out.txt 2>err.txt ||
    fail "resumed: $(cat err.txt)"
grep -q 'goes on at step [0-9][0-9]*$' out.txt || fail "resumed: $(cat out.txt)"
[ -e parts.safetensors.checkpoint ] && fail "resumed: the checkpoint is still there"
tensors whole.safetensors parts.safetensors || fail "resumed: another model"
head -n "$(wc -l <before.csv)" parts.progress/loss.csv | cmp - before.csv || fail "another curve"
[ "$(cut -d, -f1 parts.progress/loss.csv | tr '\n' ' ')" = 'step 80 160 240 320 400 480 500 ' ] ||
    fail "the curve: $(cat parts.progress/loss.csv)"

# Interrupted before any evaluation: that which the interruption makes must not count.
# shellcheck disable=SC2086
start "$brume" train texture sounds -o early.safetensors --steps 100000 $small
await grep -qs '^usable after' out.txt
sleep 1
stop TERM
[ $code -eq 1 ] || fail "stopped early: exit code $code, not 1: $(cat out.txt err.txt)"
[ -s early.safetensors.checkpoint ] || fail "stopped early: no checkpoint: $(cat err.txt)"
grep -qa 'best_step=0 .*best=nan' early.safetensors.checkpoint ||
    fail "an evaluation that only an interruption made is in the checkpoint"

# A checkpoint of something else.
mv bad.checkpoint other.safetensors.checkpoint
for change in '--seed 4' '--channels 24' '--prediction epsilon' '--batch 3' '--holdout 0.2'; do
    word=$change
    [ "$change" = '--seed 4' ] && word='--seed 3'
    [ "$change" = '--batch 3' ] && word='--batch 2'
    # shellcheck disable=SC2086
    refuse 1 "${word% [0-9e]*}" texture sounds -o other.safetensors --steps 500 $small $change \
        --resume
    [ -e other.safetensors ] && fail "resumed with $change: left a model"
done
head -c 1000 M.safetensors >other.safetensors.checkpoint
# shellcheck disable=SC2086
refuse 1 other.safetensors.checkpoint texture sounds -o other.safetensors --steps 500 $small --resume

for arguments in "--steps 0" "--holdout 2" "--threads 100" "--threads 0" "--batch 0" \
    "--channels 8" "--blocks 33" "--rate 0" "--hours -1" "--seed -1" "--steps 5 --hours 1" \
    "--threads 9" "--wrong"; do
    # shellcheck disable=SC2086
    refuse 2 "${arguments%% *}" texture sounds -o bad.safetensors $arguments
done
refuse 2 -o texture sounds
refuse 2 FOLDER texture -o bad.safetensors
refuse 2 texture model sounds -o bad.safetensors
refuse 1 missing: texture missing -o bad.safetensors --steps 2
refuse 1 file: texture file -o bad.safetensors --steps 2
refuse 1 hollow: texture hollow -o bad.safetensors --steps 2
refuse 1 nothing: texture nothing -o bad.safetensors --steps 2
refuse 1 '"wind"' texture sounds -o bad.safetensors --steps 2 --class wind
refuse 1 x0 texture sounds -o bad.safetensors --steps 2 --prediction x0
refuse 1 quadratic texture sounds -o bad.safetensors --steps 2 --schedule quadratic
refuse 1 '"rain, heavy"' texture named -o bad.safetensors --steps 2
refuse 1 bad.safetensors.checkpoint texture sounds -o bad.safetensors --steps 2 --resume
mkdir folder.safetensors
ln -s /dev/full full.safetensors
# Before any sound is read: nothing is skipped yet.
for place in nowhere/bad.safetensors folder.safetensors full.safetensors /dev/null; do
    refuse 1 "$place" texture sounds -o $place --steps 2
    grep -q skipped err.txt && fail "$place: noticed after reading only"
done

"$brume" train --help >help.txt || fail "--help"
grep -q -- --resume help.txt || fail "--help does not tell of --resume"

finish
