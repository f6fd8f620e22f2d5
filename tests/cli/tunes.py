"""tunes.py FOLDER | --chords FILE: tunes as MIDI and as sound, and files that are neither, for the melody tests."""
import math
import os
import struct
import sys
import wave

SCALE = (0, 2, 4, 5, 7, 9, 11, 12)


def tune(number):
    """[(pitch, eighths)]: a walk on the scale, another for each number."""
    notes, at = [], number % 8
    for i in range(40):
        at = max(0, min(7, at + (1, -1, 2, -2, 1)[(i * 7 + number * 3 + i // 5) % 5]))
        notes.append((60 + number % 5 + SCALE[at], 2 if i % 4 == 3 else 1))
    return notes


def midi(path, notes, third=0):
    body = b""
    for pitch, eighths in notes:
        body += bytes((0, 0x90, pitch - third, 80)) if third else b""
        body += bytes((0, 0x90, pitch, 80, eighths * 48, 0x80, pitch, 0))
        body += bytes((0, 0x80, pitch - third, 0)) if third else b""
    body += b"\x00\xff\x2f\x00"
    with open(path, "wb") as f:
        f.write(b"MThd" + struct.pack(">IHHH", 6, 0, 1, 96))
        f.write(b"MTrk" + struct.pack(">I", len(body)) + body)


def sound(path, notes, rate, channels, seconds):
    values = []
    for pitch, eighths in notes:
        f0, n = 440 * 2 ** ((pitch - 69) / 12), int(rate * 0.25 * eighths)
        for i in range(n):
            t = i / rate
            env = math.exp(-3 * t) * min(1.0, t / 0.005) * min(1.0, (n - i) / (0.01 * rate))
            v = sum(math.sin(2 * math.pi * k * f0 * t) / k ** 1.5 for k in range(1, 6))
            values += [int(9000 * env * v)] * channels
    values = values[:int(seconds * rate) * channels]
    with wave.open(path, "wb") as f:
        f.setparams((channels, 2, rate, 0, "NONE", ""))
        f.writeframesraw(struct.pack(f"<{len(values)}h", *values))


if sys.argv[1] == "--chords":
    midi(sys.argv[2], tune(0), 4)
    sys.exit()
folder = sys.argv[1]
os.makedirs(folder + "/sounds", exist_ok=True)
# By their names' SHA-256: tune3, 4, 5, 7 and s2 are held out, tune14 and s3 are for validation.
for i in (0, 1, 2, 3, 4, 5, 6, 7, 14):
    midi(f"{folder}/tune{i}.mid", tune(i))
for i, (rate, channels) in enumerate(((16000, 1), (44100, 2), (22050, 1), (8000, 1))):
    sound(f"{folder}/sounds/s{i}.wav", tune(i), rate, channels, 4 + i)
open(folder + "/notes.txt", "w").write("learnt from my grandmother\n")
open(folder + "/cut.mid", "wb").write(open(folder + "/tune0.mid", "rb").read()[:100])
midi(folder + "/few.mid", tune(0)[:3])
sound(folder + "/sounds/short.wav", tune(0), 16000, 1, 0.5)
