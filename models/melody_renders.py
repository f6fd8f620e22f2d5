#!/usr/bin/env python3
"""Render tunes into sound to train a melody model on, or to measure one with.

    melody_renders.py MIDI_FOLDER OUT_FOLDER [--split train|heldout] [--clips N] [--seconds S]
                      [--instruments NAME,NAME...] [--peak LOW HIGH] [--seed N]

Takes monophonic MIDI files and writes, for each clip, NAME.wav (16 kHz, mono, 16 bits) and NAME.txt
(the notes that sound in it: onset in s, MIDI pitch with its detuning, sounding seconds, velocity),
and manifest.tsv about all of them. Each clip has its own instrument, transposition, tempo, tuning,
touch, room and level, all drawn from the seed; instruments take turns. A tune is held out when the
hash of its file name says so (one in ten), whatever the seed.

Needs fluidsynth with FluidR3_GM.sf2, and Python 3 with numpy, scipy and soundfile
(Debian: fluidsynth fluid-soundfont-gm python3-numpy python3-scipy python3-soundfile)."""
import argparse
import hashlib
import os
import random
import sys
import tempfile

import numpy as np
import soundfile
from scipy import signal

from soundfont import FONT, TICKS, Fault, check, midi_file, play

RENDER_RATE, RATE = 48000, 16000
# name: General MIDI program (from 0), semitones that bring a tune into its range
INSTRUMENTS = {
    "piano": (0, 0), "guitar": (24, -12), "violin": (40, 0), "flute": (73, 0), "musicbox": (10, 12),
    "vibraphone": (11, 0), "clarinet": (71, 0), "harp": (46, 0), "marimba": (12, 0), "cello": (42, -12),
    "oboe": (68, 0), "trumpet": (56, -12), "organ": (19, 0), "sax": (65, -12), "recorder": (74, 0),
    "steelguitar": (25, -12), "glockenspiel": (9, 12), "harpsichord": (6, 0), "epiano": (4, 0),
    "accordion": (21, 0), "ocarina": (79, 0), "celesta": (8, 0)}


def variable_length(data, at):
    """MIDI's 7 bits a byte -> (value, place after it)."""
    value = 0
    while True:
        byte = data[at]
        value, at = value << 7 | byte & 127, at + 1
        if byte < 128:
            return value, at


def track_events(data):
    """Bytes of a track -> [(tick, status, first data byte, second)], tempo changes as (tick, 0x51, us, 0)."""
    at, tick, status, out = 0, 0, 0, []
    while at < len(data):
        delta, at = variable_length(data, at)
        tick += delta
        if data[at] & 128:
            status, at = data[at], at + 1
        if status in (0xF0, 0xF7, 0xFF):
            kind = data[at] if status == 0xFF else 0
            size, start = variable_length(data, at + (status == 0xFF))
            if kind == 0x51:
                out.append((tick, 0x51, int.from_bytes(data[start:start + size], "big"), 0))
            at = start + size
        else:
            two = status & 0xE0 != 0xC0
            out.append((tick, status, data[at], data[at + 1] if two else 0))
            at += 1 + two
    return out


def read_notes(path):
    """Notes of a MIDI file: [(onset s, pitch, duration s)]."""
    data = open(path, "rb").read()
    if data[:4] != b"MThd":
        raise ValueError(f"{path}: not a MIDI file")
    division = int.from_bytes(data[12:14], "big")
    at, events = 8 + int.from_bytes(data[4:8], "big"), []
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4:at + 8], "big")
        if data[at:at + 4] == b"MTrk":
            events += track_events(data[at + 8:at + 8 + size])
        at += 8 + size
    events.sort(key=lambda e: e[0])
    second, last, beat, sounding, notes = 0.0, 0, 0.5, {}, []
    for tick, status, first, velocity in events:
        second, last = second + (tick - last) * beat / division, tick
        if status == 0x51:
            beat = first / 1e6
        elif status & 0xE0 == 0x80:
            if first in sounding:
                start = sounding.pop(first)
                if second > start:
                    notes.append((start, first, second - start))
            if status & 0xF0 == 0x90 and velocity:
                sounding[first] = second
    return skyline(notes)


def skyline(notes):
    """The melody alone: of notes struck together the highest, each until the next at most."""
    out = []
    for start, pitch, duration in sorted(notes, key=lambda n: (n[0], -n[1])):
        if out and start - out[-1][0] < 0.03:
            continue
        if out and out[-1][0] + out[-1][2] > start:
            out[-1] = (out[-1][0], out[-1][1], start - out[-1][0])
        out.append((start, pitch, duration))
    return out


def held_out(path):
    return hashlib.sha256(os.path.basename(path).encode()).digest()[0] * 10 < 256


def draw_clip(tune, instrument, seconds, draw):
    """What is played: settings (dict) and notes [(onset s, pitch, duration s, velocity)]."""
    clip = {"tempo": 2 ** draw.uniform(-0.322, 0.322), "transpose": draw.randint(-4, 4) + INSTRUMENTS[instrument][1],
            "cents": draw.uniform(-50, 50) if draw.random() < 0.7 else 0.0,
            "reverb": draw.random() < 0.5, "room": draw.uniform(0.2, 0.8), "wet": draw.uniform(0.2, 0.9)}
    touch, spread = draw.randint(52, 110), draw.uniform(3, 14)
    held = draw.choice((1.0, 1.0, draw.uniform(0.5, 0.98)))
    first = draw.randrange(max(1, len(tune) // 2))
    start, notes, turn = tune[first][0], [], 0.0
    lead = draw.uniform(0.03, 0.3)
    while True:
        for onset, pitch, duration in tune[first:]:
            at = (onset - start) / clip["tempo"] + turn + lead
            if at >= seconds:
                return clip, notes
            velocity = min(127, max(20, round(draw.gauss(touch, spread))))
            notes.append((at, pitch + clip["transpose"], duration / clip["tempo"] * held, velocity))
        turn, first, start = (tune[-1][0] + tune[-1][2] - start) / clip["tempo"] + turn, 0, tune[0][0]


def as_midi(clip, program, notes):
    """A MIDI file of one track, TICKS to the second, bent by the clip's cents."""
    bend = round(8192 + clip["cents"] / 200 * 8192)
    events = [(0, bytes((0xC0, program))), (0, bytes((0xE0, bend & 127, bend >> 7))),
              (0, bytes((0xB0, 91, round(127 * clip["wet"]) if clip["reverb"] else 0)))]
    for onset, pitch, duration, velocity in notes:
        events.append((round(onset * TICKS), bytes((0x90, pitch, velocity))))
        events.append((max(round(onset * TICKS) + 1, round((onset + duration) * TICKS)), bytes((0x80, pitch, 0))))
    events.sort(key=lambda e: (e[0], e[1][0] == 0x90))
    return midi_file(events, events[-1][0])


def sound_of(midi, clip, seconds, folder):
    """fluidsynth's sound at 16 kHz, (seconds * RATE,), both channels' mean, unscaled."""
    settings = {"synth.chorus.active": 0, "synth.reverb.active": int(clip["reverb"]),
                "synth.reverb.room-size": f"{clip['room']:.3f}", "synth.reverb.level": 0.7}
    x = play(midi, FONT, RENDER_RATE, 0.4, settings, folder).mean(axis=1)
    x = signal.resample_poly(x, RATE, RENDER_RATE, window=("kaiser", 10.0))
    wanted = round(seconds * RATE)
    return np.pad(x, (0, max(0, wanted - len(x))))[:wanted]


def render_all(options, names):
    """Every clip, its notes, and the manifest."""
    tunes = sorted(f for f in os.listdir(options.midi_folder) if f.endswith(".mid"))
    tunes = [f for f in tunes if held_out(f) == (options.split == "heldout")]
    order = list(tunes)
    random.Random(options.seed).shuffle(order)
    os.makedirs(options.out_folder, exist_ok=True)
    manifest = ["file\ttune\tinstrument\ttempo\ttranspose\tcents\treverb\tpeak_db"]
    with tempfile.TemporaryDirectory() as folder:
        for i in range(options.clips):
            draw = random.Random(f"{options.seed} {options.split} {i}")
            tune, instrument = order[i % len(order)], names[i % len(names)]
            clip, notes = draw_clip(read_notes(os.path.join(options.midi_folder, tune)), instrument, options.seconds, draw)
            x = sound_of(as_midi(clip, INSTRUMENTS[instrument][0], notes), clip, options.seconds, folder)
            peak = draw.uniform(*options.peak)
            x *= 10 ** (peak / 20) / np.max(np.abs(x))
            name = f"{instrument}-{i:04d}"
            soundfile.write(os.path.join(options.out_folder, name + ".wav"), np.round(x * 32767).astype(np.int16), RATE)
            with open(os.path.join(options.out_folder, name + ".txt"), "w") as f:
                for onset, pitch, duration, velocity in notes:
                    f.write(f"{onset:.4f} {pitch + clip['cents'] / 100:.3f} {duration:.4f} {velocity}\n")
            manifest.append(f"{name}.wav\t{tune}\t{instrument}\t{clip['tempo']:.3f}\t{clip['transpose']}\t"
                            f"{clip['cents']:.1f}\t{int(clip['reverb'])}\t{peak:.1f}")
    with open(os.path.join(options.out_folder, "manifest.tsv"), "w") as f:
        f.write("\n".join(manifest) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("midi_folder")
    parser.add_argument("out_folder")
    parser.add_argument("--split", choices=("train", "heldout"), default="train")
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--instruments", default=",".join(INSTRUMENTS))
    parser.add_argument("--peak", type=float, nargs=2, default=(-12.0, -1.0), metavar=("LOW", "HIGH"))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    names = options.instruments.split(",")
    unknown = [name for name in names if name not in INSTRUMENTS]
    if unknown:
        sys.exit(f"melody_renders: no instrument {unknown[0]}")
    try:
        check(FONT)
        render_all(options, names)
    except Fault as fault:
        sys.exit(f"melody_renders: {fault}")


if __name__ == "__main__":
    main()
