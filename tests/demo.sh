#!/bin/sh
# What `make demo` shows: a texture out of noise with the shipped model, and its spectrogram.
# BUILD is the folder that holds the programs; results go to demo/.
set -eu
BUILD=${BUILD:-build}
mkdir -p demo
"$BUILD/brume" render --class rain --seconds 20 --seed 7 -o demo/rain.wav
"$BUILD/brume" plot demo/rain.wav --title "20 seconds of rain out of Gaussian noise" -o demo/rain.png
echo "demo/rain.wav   20 s of stereo rain, made from Gaussian noise by the shipped model"
echo "demo/rain.png   its spectrogram"
