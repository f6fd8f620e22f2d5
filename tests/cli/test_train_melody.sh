#!/bin/sh
# brume train melody: a folder of tunes becomes a model; interrupted and resumed, the same model to
# the bit; and what it refuses.
. tests/cli/common.sh
verb=train

# What it says beside warnings and notes.
said() {
    grep -Ev 'skipped: |warning: |note: ' err.txt
}

/usr/bin/python3 "$root/tests/cli/tunes.py" tunes || exit 1

"$brume" train melody tunes -o M.safetensors --steps 8 --seed 3 --from none --licence CC0 >out.txt 2>err.txt ||
    fail "training: $(cat err.txt)"
[ -s M.safetensors ] || fail "no model"
[ -z "$(find . -name '*.checkpoint' -o -name '.*.tmp')" ] || fail "a checkpoint or temporary file"
for file in notes.txt cut.mid few.mid sounds/short.wav; do
    [ "$(grep -c "^brume train: skipped: tunes/$file: ..*" err.txt)" -eq 1 ] ||
        fail "not one line about $file: $(cat err.txt)"
done
grep -q 'cut.mid: byte 18: ' err.txt || fail "no byte in: $(cat err.txt)"
grep -q '^brume train: warning: tunes/sounds/s3.wav: its rate of 8000 Hz' err.txt ||
    fail "nothing about a low rate: $(cat err.txt)"
grep -q '^brume train: warning: 9 seconds of sound to learn from are too little' err.txt ||
    fail "nothing about little sound: $(cat err.txt)"
[ "$(wc -l <err.txt)" -eq 7 ] || fail "more on standard error than warnings: $(cat err.txt)"
grep -q '^notes: this machine: .* steps/s, .* MB of memory; 8 steps take about' out.txt ||
    fail "no outlook: $(cat out.txt)"
grep -q '^4 tunes (1 for validation, 4 held out), 4 recordings, ' out.txt ||
    fail "found: $(cat out.txt)"
grep -q '^notes: step 8/8  .* bits a note  validation ' out.txt || fail "notes: $(cat out.txt)"
grep -q '^samples: step 8/8  .* bits a sample, .*  validation ' out.txt ||
    fail "samples: $(cat out.txt)"
grep -q '^wrote M.safetensors after 8 steps of the notes, 8 of the samples$' out.txt ||
    fail "no last line: $(cat out.txt)"
grep -q '^see and hear it in M.progress: ' out.txt || fail "not told where: $(cat out.txt)"
/usr/bin/python3 - <<'PYTHON' || fail "what can be seen and heard of it"
import os
import struct

import soundfile

assert set(os.listdir("M.progress")) == {"loss.png", "loss-notes.csv", "loss-samples.csv",
                                         "preview.wav"}, os.listdir("M.progress")
data = open("M.progress/loss.png", "rb").read()
assert data[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", data[16:24]) == (960, 800)
for tier in "notes", "samples":
    head, line = open(f"M.progress/loss-{tier}.csv").read().splitlines()
    step, loss, held_out, seconds = map(float, line.split(","))
    assert head == "step,loss,held_out,seconds" and step == 8, line
    assert 0 < held_out < 20 and 0 < loss < 20 and seconds > 0, line
sound, rate = soundfile.read("M.progress/preview.wav")
assert sound.ndim == 1 and rate == 16000 and 6 * rate < len(sound) <= 13 * rate, len(sound)
# What is carried on, and what the model makes of it.
assert abs(sound[:-5 * rate]).max() > 0.01 and abs(sound[-5 * rate:]).max() > 0.001
PYTHON
"$brume" info M.safetensors >info.txt 2>&1 || fail "the model cannot be opened: $(cat info.txt)"
for line in 'kind  *brume.melody' 'licence  *CC0' 'bits_per_note  *pitch .* on 4 tunes (held out)' \
    'bits_per_sample  *[0-9.]*, with a plan' 'training .*seed 3, hold-out 0.1'; do
    grep -q "^$line" info.txt || fail "\"$line\" is not in: $(cat info.txt)"
done
BRUME_MODELS=. "$brume" models | grep -q '^M  *brume.melody ' || fail "brume models does not list it"
timeout 60 "$brume" render --model M.safetensors --seconds 1 -o bad.wav >out.txt 2>err.txt &&
    fail "render took a melody model"
grep -q 'give a texture model' err.txt || fail "render: $(cat err.txt)"

# The same seed, the same model, in silence; another seed, another. Notes that were only heard.
"$brume" train melody tunes -o again.safetensors --steps 8 --seed 3 --from none --no-preview --quiet >out.txt 2>err.txt ||
    fail "training again"
[ -s out.txt ] && fail "--quiet is not: $(cat out.txt)"
tensors M.safetensors again.safetensors || fail "the same seed made another model"
"$brume" train melody tunes -o bad.safetensors --steps 2 --seed 4 --from none --no-preview --json >result.json 2>err.txt ||
    fail "--json"
tensors M.safetensors bad.safetensors 2>/dev/null && fail "another seed made the same model"
/usr/bin/python3 -c '
import json
result = json.load(open("result.json"))
assert result["model"] == "bad.safetensors" and result["note_steps"] == 2, result
assert result["sample_steps"] == 2 and result["seconds"] > 0, result
' || fail "the JSON: $(cat result.json)"
"$brume" train melody tunes/sounds -o bad.safetensors --steps 1 --from none --no-preview >out.txt 2>err.txt ||
    fail "sound alone: $(cat err.txt)"
grep -q '^2 tunes ' out.txt || fail "tunes heard in sound: $(cat out.txt)"
rm -f bad.safetensors

# interrupt LINE: trains until LINE was printed and a little longer, then stops it.
interrupt() {
    # shellcheck disable=SC2086
    start "$brume" train melody tunes -o parts.safetensors --steps 40 --seed 3 --from none $2
    await grep -qs "$1" out.txt
    sleep 1
    stop INT
    [ $code -eq 1 ] || fail "interrupted: exit code $code, not 1: $(cat out.txt err.txt)"
    grep -q '^brume train: interrupted: .*parts.safetensors.*--resume' err.txt ||
        fail "interrupted: $(cat err.txt)"
    [ -s parts.safetensors ] || fail "interrupted: no model so far"
    [ -s parts.safetensors.notes.checkpoint ] || fail "interrupted: no checkpoint of the notes"
}

# Interrupted in the notes, then in the samples, then resumed to the end.
interrupt '^samples: this machine' ''
[ -e parts.safetensors.checkpoint ] && fail "a checkpoint of samples before their first step"
refuse 1 --resume melody tunes -o parts.safetensors --steps 40 --seed 3 --from none
refuse 1 '--seed 3' melody tunes -o parts.safetensors --steps 40 --seed 4 --from none --resume
refuse 1 'other tunes' melody tunes -o parts.safetensors --steps 40 --seed 3 --from none --holdout 0.3 --resume
interrupt '^notes: step 40/40' --resume
[ -s parts.safetensors.checkpoint ] || fail "interrupted: no checkpoint of the samples"
head -c 1000 parts.safetensors.checkpoint >other.checkpoint
"$brume" train melody tunes -o parts.safetensors --steps 40 --seed 3 --from none --resume \
    --save-every 0.05 >out.txt 2>err.txt ||
    fail "resumed: $(cat err.txt)"
grep -q 'goes on at step 40 of the notes, [1-9][0-9]* of the samples$' out.txt ||
    fail "resumed: $(cat out.txt)"
[ -z "$(find . -name 'parts*.checkpoint')" ] || fail "resumed: a checkpoint is still there"
for tier in notes samples; do
    tail -n 1 parts.progress/loss-$tier.csv | grep -q '^40,' ||
        fail "the curve of the $tier: $(cat parts.progress/loss-$tier.csv)"
done
"$brume" train melody tunes -o whole.safetensors --steps 40 --seed 3 --from none --no-preview >out.txt 2>err.txt ||
    fail "the whole run"
tensors whole.safetensors parts.safetensors || fail "resumed: another model"
mv other.checkpoint half.safetensors.checkpoint
refuse 1 half.safetensors.checkpoint melody tunes -o half.safetensors --steps 40 --seed 3 --from none --resume
[ -e half.safetensors ] && fail "resumed from half a checkpoint: left a model"

# tier A B PREFIX: the two models hold the same tensors of one tier, to the bit.
tier() {
    tensors "$1" "$2" "$3" 2>/dev/null
}

# From a model: the shipped one, where nothing is said. MIDI alone teaches it notes and leaves its
# sound as it was, to the bit; recordings of few notes the other way round; both, both.
mkdir shipped few strum strum/sounds
cp M.safetensors shipped/melody.safetensors
cp tunes/tune0.mid tunes/tune1.mid tunes/tune2.mid few
/usr/bin/python3 "$root/tests/cli/tunes.py" --chords few/chords.mid
cp tunes/sounds/s1.wav strum/sounds
export BRUME_MODELS=shipped
"$brume" train melody few -o notes.safetensors --steps 4 >out.txt 2>err.txt ||
    fail "from the shipped model: $(cat err.txt)"
grep -q '^3 tunes (1 for validation, 0 held out), 0 recordings' out.txt ||
    fail "three tunes and one: $(cat out.txt)"
grep -q 'few/chords.mid: it is not of one voice: 40 notes' err.txt ||
    fail "nothing about chords: $(cat err.txt)"
grep -q 'note: there are no recordings: ' err.txt || fail "no recordings: $(cat err.txt)"
grep -q '^samples: ' out.txt && fail "samples were trained on nothing: $(cat out.txt)"
tier M.safetensors notes.safetensors samples. || fail "MIDI alone changed the sound"
tier M.safetensors notes.safetensors notes. && fail "MIDI alone left the notes as they were"
"$brume" info notes.safetensors >info.txt
grep -q '^from  *melody.safetensors: notes: 8 steps' info.txt || fail "card: $(cat info.txt)"
"$brume" train melody strum -o sound.safetensors --steps 4 >out.txt 2>err.txt ||
    fail "sound from the shipped model: $(cat err.txt)"
grep -q 'note: the [1-9][0-9]* notes heard in the recordings are too few' err.txt ||
    fail "few notes heard: $(cat err.txt)"
grep -q '^samples: step 4/4  .*  validation ' out.txt ||
    fail "one recording leaves nothing to validate on: $(cat out.txt)"
tier M.safetensors sound.safetensors notes. || fail "recordings of few notes changed the notes"
tier M.safetensors sound.safetensors samples. && fail "recordings left the sound as it was"
cp few/*.mid strum
"$brume" train melody strum -o both.safetensors --steps 4 --from ./M.safetensors --quiet ||
    fail "both from a model"
tier M.safetensors both.safetensors notes. && fail "both left the notes as they were"
tier M.safetensors both.safetensors samples. && fail "both left the sound as it was"
cmp -s M.safetensors shipped/melody.safetensors || fail "the model started from was changed"
refuse 1 missing.safetensors melody few -o bad.safetensors --steps 2 --from missing.safetensors
export BRUME_MODELS=nowhere
refuse 1 texture melody few -o bad.safetensors --steps 2 --from texture
unset BRUME_MODELS

for arguments in "--steps 0" "--holdout 2" "--hours -1" "--seed -1" "--steps 5 --hours 1" \
    "--threads 2" "--batch 2" "--channels 32" "--blocks 2" "--rate 0.01" "--prediction v" \
    "--schedule linear" "--class rain" "--wrong"; do
    # shellcheck disable=SC2086
    refuse 2 "${arguments%% *}" melody tunes -o bad.safetensors $arguments
done
mkdir hollow silent
touch file
cp tunes/tune0.mid silent
refuse 2 -o melody tunes
refuse 2 FOLDER melody -o bad.safetensors
refuse 2 melody tune tunes -o bad.safetensors
refuse 1 missing: melody missing -o bad.safetensors --steps 2 --from none
refuse 1 file: melody file -o bad.safetensors --steps 2 --from none
refuse 1 hollow: melody hollow -o bad.safetensors --steps 2 --from none
refuse 1 'no recording' melody silent -o bad.safetensors --steps 2 --from none
refuse 1 bad.safetensors.notes.checkpoint melody tunes -o bad.safetensors --steps 2 --resume --from none
mkdir folder.safetensors
for place in nowhere/bad.safetensors folder.safetensors /dev/null; do
    refuse 1 "$place" melody tunes -o $place --steps 2
    grep -q skipped err.txt && fail "$place: noticed after reading only"
done

finish
