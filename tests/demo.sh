#!/bin/sh
# What `make demo` shows: a texture out of noise and a tune carried on, with the shipped models, and their
# spectrograms.
# BUILD is the folder that holds the programs; results go to demo/.
set -eu
BUILD=${BUILD:-build}
mkdir -p demo
"$BUILD/brume" render --class rain --seconds 20 --seed 7 -o demo/rain.wav
"$BUILD/brume" plot demo/rain.wav --title "20 seconds of rain out of Gaussian noise" -o demo/rain.png
"$BUILD/brume" continue tests/prompts/piano.flac --seconds 20 --seed 1 --with-prompt -o demo/continued.wav
"$BUILD/brume" plot demo/continued.wav --mark 10 -o demo/continued.png \
    --title "A tune of 10 s that Brume never heard, and how it carries it on"
echo "demo/rain.wav   20 s of stereo rain, made from Gaussian noise by the shipped model"
echo "demo/rain.png   its spectrogram"
echo "demo/continued.wav   a tune of 10 s, and 20 s more of it"
echo "demo/continued.png   its spectrogram; the line marks the join"
echo "$BUILD/brume.lv2   the plugin: make install-user, or LV2_PATH=$(realpath "$BUILD")"
