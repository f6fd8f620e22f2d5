#!/bin/sh
# brume compare: how far one texture is from another; files and folders, rates and channels; what it
# refuses.
. tests/cli/common.sh
verb=compare

/usr/bin/python3 - <<'PYTHON' || exit 1
import os

import numpy as np
import soundfile as sf

def noise(seed, seconds, rate=32000):
    return 0.1 * np.random.default_rng(seed).standard_normal(int(seconds * rate))

def dull(x):
    spectrum = np.fft.rfft(x)
    return np.fft.irfft(spectrum / (1 + np.arange(len(spectrum)) / 2000), len(x))

os.makedirs("clips/below")
os.makedirs("empty folder")
sf.write("real.wav", noise(1, 20), 32000)
sf.write("same.wav", noise(2, 10), 32000)
sf.write("soft.wav", 0.01 * noise(2, 10), 32000, subtype="FLOAT")
sf.write("dull.wav", dull(noise(2, 10)), 32000)
# The same sound at another rate, in stereo, whose channels differ but have it as their mean.
x = noise(2, 10)
spectrum = np.fft.rfft(x)
x = np.fft.irfft(np.concatenate([spectrum, np.zeros(80000)]), 480000) * 1.5
side = 0.05 * np.random.default_rng(5).standard_normal(len(x))
sf.write("stereo.wav", np.stack([x + side, x - side], 1), 48000, subtype="FLOAT")
for i in range(6):
    sf.write(f"clips/ä {i}.flac", noise(10 + i, 2), 32000)
sf.write("clips/below/long.wav", noise(20, 10), 32000)
sf.write("copy.wav", noise(1, 20)[32000:6 * 32000] * 0.5, 32000)
sf.write("short.wav", noise(1, 0.4), 32000)
sf.write("second.wav", noise(1, 1), 32000)
sf.write("silent.wav", np.zeros(64000), 32000)
bad = noise(1, 2)
bad[5000] = np.nan
sf.write("nan.wav", bad, 32000, subtype="FLOAT")
open("text.wav", "w").write("no sound\n")
PYTHON

for sound in same soft dull stereo copy real; do
    "$brume" compare real.wav $sound.wav --json >$sound.json 2>err.txt || fail "$sound: $(cat err.txt)"
done
"$brume" compare clips same.wav --json >clips.json 2>err.txt || fail "clips: $(cat err.txt)"
[ -s err.txt ] && fail "clips: warned: $(cat err.txt)"
"$brume" compare real.wav clips --json >others.json 2>err.txt || fail "others: $(cat err.txt)"
"$brume" compare same.wav copy.wav --learnt real.wav --json >learnt.json || fail "--learnt"
"$brume" compare second.wav same.wav 2>/dev/null && fail "a reference of 1 s was enough"
/usr/bin/python3 - <<'PYTHON' || fail "the figures"
import json

def near(a, b, tolerance):
    assert abs(a - b) <= tolerance, (a, b)

found = {name: json.load(open(name + ".json")) for name in
         "same soft dull stereo copy real clips others learnt".split()}
total = {name: f["total"] for name, f in found.items()}
print(total)
near(total["same"], 1, 0.2)
near(total["soft"], total["same"], 0.01)
near(total["stereo"], total["same"], 0.03)
near(found["soft"]["level_difference_db"], -40, 0.1)
assert total["dull"] > 2 and found["dull"]["groups"]["mean"]["ratio"] > 5
assert found["dull"]["groups"]["modulation"]["ratio"] < 1.3
assert found["same"]["memorisation"]["ratio"] > 0.9 and found["same"]["memorisation"]["copied"] == 0
for name in "copy", "real", "learnt":
    assert found[name]["memorisation"]["ratio"] < 0.3 and found[name]["memorisation"]["copied"] == 1
assert total["real"] < 1
near(found["clips"]["window_s"], 1, 0)
near(found["clips"]["reference_s"], 12, 0.01)
near(found["others"]["window_s"], 2, 0)
near(total["clips"], 1, 0.2)
assert set(found["same"]["groups"]) == {"mean", "variation", "skewness", "kurtosis", "correlation",
                                        "modulation", "modulation_correlation"}
PYTHON

"$brume" compare real.wav copy.wav >out.txt 2>err.txt || fail "in words: $(cat err.txt)"
for word in 'TOTAL ' spectrum memorisation 'note: the reference lasts 20.0 s' 'note: parts of it are copies'; do
    grep -q "$word" out.txt || fail "\"$word\" is not in: $(cat out.txt)"
done
cp out.txt first.txt
"$brume" compare --quiet real.wav copy.wav >out.txt
cmp -s out.txt first.txt || fail "the same files, other figures"

# In a folder, what cannot be used is told of and left out.
cp text.wav silent.wav clips
"$brume" compare clips same.wav --json >skipped.json 2>err.txt || fail "skipped: $(cat err.txt)"
[ "$(grep -c '^brume compare: skipped: clips/' err.txt)" -eq 2 ] || fail "skipped: $(cat err.txt)"
cmp -s skipped.json clips.json || fail "what was skipped was counted"

refuse 2 REFERENCE real.wav
refuse 2 dull.wav real.wav same.wav dull.wav
refuse 2 --wrong real.wav same.wav --wrong
refuse 1 missing.wav real.wav missing.wav
refuse 1 missing.wav missing.wav real.wav
refuse 1 missing.wav real.wav same.wav --learnt missing.wav
refuse 1 text.wav real.wav text.wav
refuse 1 nan.wav real.wav nan.wav
refuse 1 'silent.wav: is silent' real.wav silent.wav
refuse 1 'short.wav: lasts 0.40 s' real.wav short.wav
refuse 1 'one real sound of 2 s' second.wav same.wav
refuse 1 'empty folder: no usable sound' real.wav 'empty folder'

finish
