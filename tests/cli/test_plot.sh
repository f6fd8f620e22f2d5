#!/bin/sh
# brume plot: the picture's size and sameness, its options, and what it refuses.
. tests/cli/common.sh
verb=plot

/usr/bin/python3 - <<'PYTHON' || exit 1
import math
import struct
import wave

def write(path, rate, channels, seconds, hertz=440.0):
    with wave.open(path, "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        for i in range(int(rate * seconds)):
            value = round(12000 * math.sin(2 * math.pi * hertz * i / rate))
            file.writeframesraw(struct.pack("<h", value) * channels)

write("tone.wav", 8000, 1, 2)
write("high.wav", 44100, 2, 0.7, 1000.0)
write("short.wav", 48000, 1, 0.001)
write("silent.wav", 8000, 1, 1, 0.0)
write("slow.wav", 500, 1, 1)
write("none.wav", 8000, 1, 0)
samples = [0.0] * 800
samples[400] = float("nan")
data = struct.pack("<800f", *samples)
with open("nan.wav", "wb") as file:
    file.write(b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt ")
    file.write(struct.pack("<IHHIIHH", 16, 3, 1, 8000, 32000, 4, 32))
    file.write(b"data" + struct.pack("<I", len(data)) + data)
open("text.wav", "w").write("this is no sound\n" * 50)
open("empty.wav", "w").close()
PYTHON
mkdir folder
mkfifo fifo.wav

# check_png FILE WIDTH HEIGHT: the signature and the size in the header.
check_png() {
    /usr/bin/python3 - "$@" <<'PYTHON' || fail "$1: no PNG of $2 by $3"
import struct
import sys

head = open(sys.argv[1], "rb").read(24)
size = struct.unpack(">II", head[16:24])
sys.exit(head[:8] != b"\x89PNG\r\n\x1a\n" or size != (int(sys.argv[2]), int(sys.argv[3])))
PYTHON
}

umask 022
"$brume" plot tone.wav -o one.png || fail "one file"
check_png one.png 1200 300
[ "$(stat -c %a one.png)" = 644 ] || fail "the mode of a picture is $(stat -c %a one.png)"
"$brume" plot tone.wav -o again.png || fail "the same again"
cmp one.png again.png || fail "two pictures of one sound differ"
"$brume" plot high.wav -o other.png || fail "another file"
cmp -s one.png other.png && fail "two sounds make one picture"
"$brume" plot tone.wav high.wav short.wav silent.wav --width 640 --height 150 --title 'A "title"' \
    --mark 0.5 --mark=1 --from 0 --seconds 1.5 -o many.png || fail "four files"
check_png many.png 640 640
"$brume" plot --from 0.5 --seconds 0.25 -o part.PNG -- tone.wav || fail "a part"
"$brume" plot tone.wav --json -o json.png >result.json 2>noise.txt || fail "--json"
[ -s noise.txt ] && fail "progress though standard error is no terminal"
/usr/bin/python3 -c '
import json
panel = json.load(open("result.json"))["panels"][0]
assert panel == {"file": "tone.wav", "from": 0, "seconds": 2, "rate": 8000, "channels": 1}, panel
' || fail "the JSON"

# The tone must be where the axis says: its row is the brightest of a column in the middle.
/usr/bin/python3 - <<'PYTHON' || fail "the tone lies in the wrong place"
import math
import struct
import zlib

data, at, body = open("one.png", "rb").read(), 8, b""
while at < len(data):
    length, kind = struct.unpack(">I4s", data[at:at + 8])
    if kind == b"IHDR":
        width, height, depth, colour = struct.unpack(">IIBB", data[at + 8:at + 18])
    body += data[at + 8:at + 8 + length] if kind == b"IDAT" else b""
    at += length + 12
raw, size = zlib.decompress(body), {2: 3, 6: 4}[colour]
assert depth == 8
before, rows = bytearray(width * size), []
for y in range(height):
    kind, line = raw[y * (width * size + 1)], bytearray(raw[y * (width * size + 1) + 1:][:width * size])
    for i in range(len(line)):
        a, b = (line[i - size] if i >= size else 0), before[i]
        c = before[i - size] if i >= size else 0
        paeth = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
        line[i] = (line[i] + (0, a, b, (a + b) // 2, paeth)[kind]) & 255
    before = line
    rows.append(sum(line[600 * size:600 * size + 3]))
top, bottom = 28, height - 30
best = max(range(top, bottom), key=lambda y: rows[y])
hertz = 40 * (4000 / 40) ** ((bottom - best - 0.5) / (bottom - top))
assert abs(math.log2(hertz / 440)) < 1 / 12, hertz
PYTHON

"$brume" plot --help >help.txt || fail "--help"
grep -q -- --mark help.txt || fail "--help does not tell of --mark"

refuse 1 missing.wav missing.wav -o bad.png
refuse 1 empty.wav empty.wav -o bad.png
refuse 1 none.wav none.wav -o bad.png
refuse 1 text.wav text.wav -o bad.png
refuse 1 folder folder -o bad.png
refuse 1 fifo.wav fifo.wav -o bad.png
refuse 1 /dev/zero /dev/zero -o bad.png
refuse 1 slow.wav slow.wav -o bad.png
refuse 1 "nan.wav: the sample at 0.050000 s" nan.wav -o bad.png
refuse 1 nan.wav tone.wav nan.wav -o bad.png
refuse 1 tone.wav tone.wav --from 2 -o bad.png
refuse 1 --mark tone.wav --mark 3 -o bad.png
refuse 1 nowhere/bad.png tone.wav -o nowhere/bad.png
refuse 1 /dev/full.png tone.wav -o /dev/full.png/bad.png
refuse 2 folder.png tone.wav -o folder.png/
mkdir taken.png
refuse 1 taken.png tone.wav -o taken.png
ln -s /dev/full full.png
refuse 1 full.png tone.wav -o full.png
[ -c /dev/full ] || fail "the device was replaced"
limited 1 refuse 1 bad.png high.wav -o bad.png
refuse 1 "a?b.wav" "$(printf 'a\nb.wav')" -o bad.png

refuse 2 -o tone.wav
refuse 2 bad.jpg tone.wav -o bad.jpg
refuse 2 .png tone.wav -o .png
refuse 2 FILE -o bad.png
refuse 2 --wrong tone.wav --wrong -o bad.png
refuse 2 -x tone.wav -x -o bad.png
refuse 2 -o tone.wav -o
refuse 2 --quiet tone.wav --quiet=1 -o bad.png
for value in 319 8193 12abc 1e3 '' ' 400' 0x200 99999999999999999999 -5 400.5; do
    refuse 2 "brume plot: --width $value is" tone.wav --width "$value" -o bad.png
done
for value in 0 -1 nan inf 1e999 1s '' 0x1 1e7; do
    refuse 2 "brume plot: --seconds $value is" tone.wav --seconds "$value" -o bad.png
done
refuse 2 "--width 0 is out of range: give 320 to 8192" tone.wav --width 0 -o bad.png
# shellcheck disable=SC2046
refuse 2 tone.wav $(yes tone.wav | head -n 17) -o bad.png

for arguments in '' plto; do
    # shellcheck disable=SC2086
    "$brume" $arguments 2>err.txt
    [ $? -eq 2 ] || fail "brume $arguments: not exit code 2"
    grep -q plot err.txt || fail "brume $arguments: does not name plot"
done
"$brume" --version | grep -q '^brume [0-9]' || fail "--version"
"$brume" --help | grep -q plot || fail "brume --help"
"$brume" --help >/dev/full 2>err.txt && fail "a full standard output goes unnoticed"

finish
