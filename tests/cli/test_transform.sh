#!/bin/sh
# brume transform, with the shipped model: strength 0 gives the input back, its gestures fade as the
# strength rises, the same for the same words, at any rate, of any channels; interruption, and what it
# refuses.
. tests/cli/common.sh
verb=transform
prompt=$root/tests/prompts/piano.flac
texture=$root/models/weights/texture.safetensors
melody=$root/models/weights/melody.safetensors

# transform OUT ARGUMENTS...
transform() {
    out=$1
    shift
    "$brume" transform "$@" --model "$texture" --quiet -o "$out" || fail "transform $*"
}

/usr/bin/python3 - "$prompt" <<'PYTHON' || exit 1
import sys

import numpy
import soundfile

# A tune, and drums with pauses between, different ones on the right.
tune, rate = soundfile.read(sys.argv[1], dtype="float32")
soundfile.write("tune.wav", tune[:7 * rate], rate, subtype="FLOAT")
random = numpy.random.default_rng(1)
drums = numpy.zeros((7 * 44100, 2))
time = numpy.arange(8820) / 44100
for stroke in range(28):
    if stroke % 4 == 3:
        continue
    at = stroke * 11025
    noise = random.standard_normal((len(time), 2)) * numpy.exp(-30 * time)[:, None]
    tone = numpy.sin(2 * numpy.pi * 80 * time) * numpy.exp(-15 * time)
    gain = [0.2, 0.05, 0.1][stroke % 4]
    drums[at:at + len(time)] += gain * (noise * [[1, 0.5]] + tone[:, None])
soundfile.write("drums.wav", drums.astype("float32"), 44100, subtype="FLOAT")
soundfile.write("silent.wav", numpy.zeros((30000, 2), "float32"), 44100)
soundfile.write("one.wav", numpy.full(1, 0.5, "float32"), 44100)
soundfile.write("wild.wav", numpy.clip(drums * 1e6, -1e4, 1e4).astype("float32"), 44100, subtype="FLOAT")
soundfile.write("soft.wav", (drums * 1e-3).astype("float32"), 44100, subtype="FLOAT")
soundfile.write("three.wav", numpy.zeros((5000, 3), "float32"), 44100)
soundfile.write("nan.wav", numpy.full(5000, numpy.nan, "float32"), 44100, subtype="FLOAT")
PYTHON

for strength in 0 0.2 0.4 0.6 0.8 1; do
    transform "tune-$strength.wav" tune.wav --strength $strength --class rain
    transform "drums-$strength.wav" drums.wav --strength $strength --class waves --seed 2
done
transform again.wav drums.wav --strength 0.4 --class waves --seed 2
cmp drums-0.4.wav again.wav || fail "the same words made another sound"
transform usual.wav drums.wav --class waves --strength 0.5
transform same.wav drums.wav --class waves --seed 0 --steps 8 --width 0.5 --rate 44100 --channels 2
cmp usual.wav same.wav || fail "what the help calls usual is not"
transform seed.wav drums.wav --class waves --seed 1
transform fire.wav drums.wav --class fire
transform steps.wav drums.wav --class waves --steps 2
transform width.wav drums.wav --class waves --width 0
for other in seed fire steps width; do
    cmp -s usual.wav $other.wav && fail "another $other makes the same sound"
done
transform mixed.wav drums.wav --class rain:2,fire
transform mono.wav drums.wav --channels 1 --strength 0
transform both.wav tune.wav --channels 2 --width 0
transform rate.flac drums.wav --rate 48000 --strength 0.3
transform rate0.wav drums.wav --rate 22050 --strength 0
transform silent0.wav silent.wav --strength 0
transform silent1.wav silent.wav --strength 1
transform one0.wav one.wav --strength 0
transform one1.ogg one.wav --strength 1
transform wild5.wav wild.wav --strength 0.5
for strength in 0 0.3 1; do
    transform "soft-$strength.wav" soft.wav --strength $strength --class waves --seed 2
done
"$brume" transform drums.wav --strength 0.25 --seed 5 --json -o 'a "b".wav' >result.json 2>noise.txt ||
    fail "--json"
[ -s noise.txt ] && fail "progress though standard error is no terminal: $(cat noise.txt)"

/usr/bin/python3 - <<'PYTHON' || fail "the sounds are not what they should be"
import glob
import json

import numpy
import soundfile

faults = []

def check(good, *words):
    if not good:
        faults.append(words)

def read(name):
    x, rate = soundfile.read(name)
    return x.reshape(len(x), -1), rate

def envelope(x, rate):
    """Root mean squares of 20 ms."""
    x = x.mean(axis=1)
    return numpy.sqrt((x[:len(x) // (rate // 50) * (rate // 50)].reshape(-1, rate // 50) ** 2).mean(axis=1))

for name in glob.glob("*-*.wav") + ["one1.ogg", "wild5.wav", "silent1.wav", "mixed.wav"]:
    x = soundfile.read(name)[0]
    check(numpy.isfinite(x).all() and abs(x).max() <= 1, name, "is not finite or above 1")
for name in "tune", "drums":
    before, rate = read(name + ".wav")
    correlations, levels = [], []
    for strength in "0", "0.2", "0.4", "0.6", "0.8", "1":
        after, other_rate = read(f"{name}-{strength}.wav")
        check(after.shape == before.shape and other_rate == rate, name, strength, after.shape)
        correlations.append(numpy.corrcoef(envelope(before, rate), envelope(after, rate))[0, 1])
        levels.append(20 * numpy.log10(numpy.std(after) / numpy.std(before)))
    print(name, "envelope correlations:", *(f"{c:.3f}" for c in correlations),
          "levels:", *(f"{c:.1f}" for c in levels))
    check((numpy.diff(correlations) < 0).all(), name, "correlation does not fall", correlations)
    check(correlations[0] > 0.999 and correlations[2] > 0.8 and correlations[3] > 0.4
          and abs(correlations[5]) < 0.35, name, correlations)
    check(abs(levels[1]) < 3, name, levels)
    after = read(f"{name}-0.wav")[0]
    error = 10 * numpy.log10(((after - before) ** 2).sum() / (before ** 2).sum())
    check(error < -35, name, "strength 0 is not the input:", error, "dB")
drums = read("drums.wav")[0]
check(numpy.allclose(read("mono.wav")[0], drums.mean(axis=1, keepdims=True), atol=1e-3), "one channel")
both = read("both.wav")[0]
check(both.shape[1] == 2 and (both[:, 0] == both[:, 1]).all(), "width 0 is not mono")
check(soundfile.info("rate.flac").samplerate == 48000 and soundfile.info("rate.flac").frames == 7 * 48000)
check(abs(read("rate0.wav")[0]).max() > 0.1 and soundfile.info("rate0.wav").frames == 7 * 22050)
check(abs(read("silent0.wav")[0]).max() < 1e-6 and numpy.std(read("silent1.wav")[0]) > 1e-3, "silence")
check(soundfile.info("one0.wav").frames == 1 and soundfile.info("one1.ogg").frames == 1)

# A soft input comes back soft, keeps its gestures, and gives way to the same texture as a loud one.
soft = {s: read(f"soft-{s}.wav")[0] for s in ("0", "0.3", "1")}
check(numpy.allclose(soft["0"] * 1e3, drums, atol=1e-2), "a soft input does not come back")
check(numpy.corrcoef(envelope(drums, 44100), envelope(soft["0.3"], 44100))[0, 1] > 0.9, "soft gestures")
check((soft["1"] == read("drums-1.wav")[0]).all(), "a free texture depends on the input")
result = json.load(open("result.json"))
check(result["output"] == 'a "b".wav' and result["frames"] == 7 * 44100 and result["rate"] == 44100
      and result["channels"] == 2 and result["seed"] == 5 and result["strength"] == 0.25
      and 1 < result["latency"] < 1.3, result)
for fault in faults:
    print(*fault)
raise SystemExit(bool(faults))
PYTHON

# An interrupted one leaves what was there, and nothing else.
/usr/bin/python3 -c 'import numpy, soundfile
soundfile.write("long.flac", numpy.zeros((44100 * 600, 2), "int16"), 44100)'
mkdir broken
cp one0.wav broken/out.wav
# shellcheck disable=SC2317 # await calls it
writes() {
    [ "$(ls -A broken)" != out.wav ]
}
start "$brume" transform long.flac --strength 1 --steps 100 --model "$texture" -o broken/out.wav
await writes
stop TERM
[ $code -eq 1 ] || fail "interrupted: exit code $code, not 1"
[ "$(cat err.txt)" = "brume transform: interrupted: nothing was written" ] || fail "says: $(cat err.txt)"
{ [ "$(ls -A broken)" = out.wav ] && cmp one0.wav broken/out.wav; } || fail "left: $(ls -A broken)"

for value in -0.1 1.1 nan '' half; do
    refuse 2 "--strength $value is" drums.wav --strength "$value" -o bad.wav
done
refuse 2 "--width 2 is" drums.wav --width 2 -o bad.wav
refuse 2 "--steps 0 is" drums.wav --steps 0 -o bad.wav
refuse 2 "--rate 7999 is" drums.wav --rate 7999 -o bad.wav
refuse 2 "--rate 44100.5: give a whole number" drums.wav --rate 44100.5 -o bad.wav
refuse 2 "--channels 3 is" drums.wav --channels 3 -o bad.wav
refuse 2 "--wrong" drums.wav --wrong -o bad.wav
refuse 2 -o drums.wav
refuse 2 "" -o bad.wav
refuse 2 "" drums.wav tune.wav -o bad.wav
refuse 1 "nowhere.wav" nowhere.wav -o bad.wav
refuse 1 "nan.wav" nan.wav -o bad.wav
refuse 1 "three.wav has 3 channels" three.wav -o bad.wav
refuse 1 "result.json" result.json -o bad.wav
refuse 1 "\"snow on mars\"" drums.wav --class "snow on mars" -o bad.wav
refuse 1 "suffix" drums.wav -o bad.xyz
refuse 1 "nowhere/bad.wav" drums.wav -o nowhere/bad.wav
refuse 1 "brume.texture" drums.wav --model "$melody" -o bad.wav

"$brume" transform --help >help.txt || fail "--help"
for word in --strength --class --seed --steps --width --rate --channels --model --output INPUT; do
    grep -q -e "$word" help.txt || fail "--help does not tell of $word"
done

finish
