#!/bin/sh
# What brume train texture hears of recordings: loops and cue points, mp3 and opus, long files in
# pieces, files that go while it trains.
. tests/cli/common.sh

/usr/bin/python3 - <<'PYTHON' || exit 1
import os
import struct

import numpy
import soundfile

RATE = 44100
noise = numpy.random.default_rng(3).standard_normal((10 * RATE, 2)) * 0.1
left, right = noise[:, 0], noise[:, 1]


def wav(path, samples, *chunks):
    """A mono WAV of 16 bits with more chunks: [(name, bytes)]."""
    data = numpy.round(samples * 32767).astype("<i2").tobytes()
    body = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    body += b"data" + struct.pack("<I", len(data)) + data
    for name, content in chunks:
        body += name + struct.pack("<I", len(content)) + content
    with open(path, "wb") as f:
        f.write(b"RIFF" + struct.pack("<I", len(body)) + body)


def loop(first, last):
    """A sampler's chunk with one loop, its last frame counted."""
    return b"smpl", struct.pack("<15I", 0, 0, 0, 60, 0, 0, 0, 1, 0, 0, 0, first, last, 0, 0)


def cues(*frames):
    return b"cue ", struct.pack("<I", len(frames)) + b"".join(
        struct.pack("<II4sIII", i + 1, at, b"data", 0, 0, at) for i, at in enumerate(frames))


for name in ("plain", "loop", "cut", "cues", "formats"):
    os.mkdir(name)
# The loop is what is in cut; around it there is another sound.
loud = left.copy()
loud[:2 * RATE] *= 5
loud[7 * RATE:] *= 5
wav("loop/a.wav", loud, loop(2 * RATE, 7 * RATE - 1), cues(3 * RATE))
wav("cut/a.wav", loud[2 * RATE:7 * RATE])
# A cue at 1 s is too near to the beginning, one at 9 s to the end.
wav("cues/a.wav", left, cues(9 * RATE, 4 * RATE, RATE, 7 * RATE))
soundfile.write("formats/lossless.wav", noise, RATE)
soundfile.write("formats/mpeg.mp3", noise, RATE, format="MP3")
soundfile.write("formats/opus.opus", noise[:8 * 48000], 48000, format="OGG", subtype="OPUS")
soundfile.write("tone.mp3", 0.3 * numpy.sin(numpy.arange(RATE) * 0.06), RATE, format="MP3")
soundfile.write("tone.opus", 0.3 * numpy.sin(numpy.arange(48000) * 0.06), 48000, format="OGG",
                subtype="OPUS")
PYTHON

# train FOLDER MODEL ARGUMENTS...: a small one, quickly.
train() {
    folder=$1 model=$2
    shift 2
    "$brume" train texture "$folder" -o "$model" "$@" --steps 2 --batch 2 --channels 16 --blocks 1 --seed 1 \
        --from none --no-preview >out.txt 2>err.txt || fail "training on $folder: $(cat err.txt)"
}

# A loop is all that counts: the same model as from a file of nothing else.
train loop loop.safetensors
grep -q '^brume train: note: loop/a.wav: its loop alone is used, from 2.000 to 7.000 s$' err.txt ||
    fail "the loop: $(cat err.txt)"
grep -q '^1 recordings, 0.1 minutes' out.txt || fail "the loop: $(cat out.txt)"
mv cut given && mv loop cut && mv cut/a.wav looped.wav && mv given/a.wav cut
train cut cut.safetensors
grep -q 'note: ' err.txt && fail "marks where there are none: $(cat err.txt)"
tensors loop.safetensors cut.safetensors || fail "the loop is not what was trained on"

# Cue points part a file; the parts are held out one by one.
train cues cues.safetensors --holdout 0.3
grep -q '^brume train: note: cues/a.wav: taken as 3 recordings, parted at its cue points$' err.txt ||
    fail "cue points: $(cat err.txt)"
"$brume" info cues.safetensors >info.txt
for line in '^recordings  .*cues/a #' '^recordings_held_out  *cues/a #[123]$'; do
    grep -q "$line" info.txt || fail "\"$line\" is not in: $(cat info.txt)"
done

# mp3 and opus, in each verb that reads sound.
train formats formats.safetensors
[ -s err.txt ] && grep -q skipped err.txt && fail "a format was skipped: $(cat err.txt)"
grep -q '^3 recordings, 0.5 minutes' out.txt || fail "formats: $(cat out.txt)"
for file in tone.mp3 tone.opus; do
    "$brume" plot $file -o plot.png >out.txt 2>err.txt || fail "plot $file: $(cat err.txt)"
    [ -s err.txt ] && fail "plot $file says: $(cat err.txt)"
    "$brume" transform $file --model ./formats.safetensors --strength 0.5 -o wet.wav >out.txt \
        2>err.txt || fail "transform $file: $(cat err.txt)"
done
"$brume" score formats.safetensors formats/mpeg.mp3 formats/opus.opus >out.txt 2>err.txt ||
    fail "score: $(cat err.txt)"
"$brume" compare formats/lossless.wav formats/mpeg.mp3 >out.txt 2>err.txt ||
    fail "compare: $(cat err.txt)"

# A file that is listed and gone is skipped; all may go once training has begun.
mkdir gone
cp formats/lossless.wav gone
ln -s nowhere gone/vanished.wav
start "$brume" train texture gone -o gone.safetensors --steps 30 --batch 2 --channels 16 --blocks 1 --from none
await grep -qs 'this machine' out.txt
rm -r gone
collect
[ $code -eq 0 ] || fail "files that went while it trained: $(cat err.txt)"
grep -q '^brume train: skipped: gone/vanished.wav: cannot be opened' err.txt ||
    fail "a file that vanished: $(cat err.txt)"
[ -s gone.safetensors ] || fail "no model once the files had gone"

finish
