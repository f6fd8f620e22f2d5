#!/bin/sh
# usage: tiny.sh BRUME BUILD: makes BUILD/tests/host/tiny/brume.lv2, the bundle with a tiny model in place of
# the one that ships, and beside it other.safetensors, with other classes, and tunes.safetensors, a melody
# model that has hardly learnt anything.
set -eu
brume=$(realpath "$1")
build=$(realpath "$2")
tunes=$(realpath "$(dirname "$0")/../cli/tunes.py")
tiny=$build/tests/host/tiny
rm -rf "$tiny"
mkdir -p "$tiny/brume.lv2/models"
cd "$tiny"
/usr/bin/python3 - <<'PYTHON'
import os

import numpy
import soundfile

random = numpy.random.default_rng(1)
for model, names in (("two", ("rain", "fire")), ("three", ("hail", "hiss", "hum"))):
    for name in names:
        folder = f"sounds/{model}/{name}"
        os.makedirs(folder)
        for i in range(2):
            noise = random.standard_normal(44100 * 4)
            if name in ("fire", "hail"):
                noise *= random.random(len(noise)) < 0.002
                noise = numpy.convolve(noise, 5 * numpy.exp(-numpy.arange(200) / 40))[:len(noise)]
            elif name == "hum":
                noise = numpy.cumsum(noise) * 0.01
                noise -= numpy.convolve(noise, numpy.ones(1000) / 1000, "same")
            soundfile.write(f"{folder}/{i}.wav", (0.1 * noise).astype("float32"), 44100)
PYTHON
# What is wrong with such sounds is told only when it fails.
train() {
    "$brume" train "$@" --no-preview --quiet 2>said.txt || {
        cat said.txt >&2
        exit 1
    }
}
small="--steps 3 --channels 16 --blocks 2 --batch 2"
# shellcheck disable=SC2086
{
    train texture sounds/two -o brume.lv2/models/texture.safetensors $small
    train texture sounds/three -o other.safetensors $small
}
/usr/bin/python3 "$tunes" melodies
train melody melodies -o tunes.safetensors --steps 2
rm -r sounds melodies said.txt
ln -s ../../../../brume.lv2/brume.so brume.lv2/brume.so
cp ../../../brume.lv2/*.ttl brume.lv2
cp -r ../../../brume.lv2/presets brume.lv2
