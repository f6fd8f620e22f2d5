#!/usr/bin/env python3
"""Render tonal textures (choir, drone, bells) to train a texture model on.

    tonal_renders.py OUT_FOLDER [--soundfont FILE] [--seed N]

Writes OUT_FOLDER/CLASS/NAME.flac (44.1 kHz, stereo, 24 bits), 15 recordings of 16 to 20 s for each
class. A recording keeps to one root and one chord or scale, on one or two instruments of General
MIDI, and starts and ends while it sounds. All is drawn from the seed: the same seed, soundfont and
fluidsynth give the same samples.

Needs fluidsynth with FluidR3_GM.sf2, and Python 3 with numpy and soundfile
(Debian: fluidsynth fluid-soundfont-gm python3-numpy python3-soundfile)."""
import argparse
import math
import os
import random
import sys
import tempfile

try:
    import numpy as np
    import soundfile

    from soundfont import FONT, TICKS, Fault, check, midi_file, play
except ImportError as missing:
    sys.exit(f"tonal_renders: Python's {missing.name} is missing (Debian: python3-numpy python3-soundfile)")

RATE = 44100
LEAD = 5.0                        # seconds played before a recording starts, so that it starts in full sound
RECORDINGS = 15                   # of each class
RMS_DB, PEAK_DB = -23.0, -1.5
CHANNELS = [c for c in range(16) if c != 9]     # the tenth is drums
NAMES = ("c", "cs", "d", "ds", "e", "f", "fs", "g", "gs", "a", "as", "b")

# the instruments of a recording: (name, ((General MIDI program from 0, lowest pitch, highest), ...))
CHOIRS = (("aahs", ((52, 48, 76),)), ("oohs", ((53, 48, 76),)), ("synthvoice", ((54, 48, 76),)),
          ("aahs-oohs", ((52, 48, 76), (53, 48, 76))), ("oohs-synthvoice", ((53, 48, 76), (54, 48, 76))))
DRONES = (("cello-bass", ((42, 43, 69), (43, 40, 55))), ("strings", ((48, 40, 69),)),
          ("viola-cello", ((41, 48, 69), (42, 40, 62))), ("glass-cello", ((92, 40, 69), (42, 40, 62))),
          ("tremolo-slowstrings", ((44, 48, 69), (49, 40, 64))), ("slowstrings-glass", ((49, 40, 69), (92, 52, 69))),
          ("cello", ((42, 40, 69),)), ("bass-strings", ((43, 40, 55), (48, 47, 69))))
BELLS = (("tubular", ((14, 55, 79),)), ("musicbox", ((10, 60, 91),)), ("vibraphone", ((11, 55, 84),)),
         ("celesta", ((8, 60, 91),)), ("tubular-vibraphone", ((14, 52, 74), (11, 60, 84))),
         ("glockenspiel", ((9, 67, 91),)), ("tinkle-vibraphone", ((112, 60, 84), (11, 55, 79))),
         ("celesta-tubular", ((8, 67, 91), (14, 53, 72))))
SHORT = (8, 9, 10, 112)           # bells that ring for about a second: struck more often
CHORDS = (("fifths", (0, 7)), ("minor", (0, 3, 7)), ("major", (0, 4, 7)), ("sus4", (0, 5, 7)),
          ("minor7", (0, 3, 7, 10)), ("sus2", (0, 2, 7)))
FIFTHS = (("fifths", (0, 7)),)
SCALES = (("pentatonic", (0, 2, 4, 7, 9)), ("minor7", (0, 3, 7, 10)), ("aeolian", (0, 2, 3, 5, 7, 8, 10)),
          ("fifths", (0, 7)), ("lydian", (0, 4, 6, 7, 11)), ("sus2", (0, 2, 7)), ("yo", (0, 2, 5, 7, 9)))


def pitches(root, chord, low, high):
    return [p for p in range(low, high + 1) if (p - root) % 12 in chord]


def set_channel(channel, program, pan, cents, reverb, chorus):
    """What a channel is told before it plays; pan from -1 to 1."""
    bend = round(8192 + cents / 200 * 8192)
    control = [(0xC0 | channel, program), (0xE0 | channel, bend & 127, bend >> 7)]
    control += [(0xB0 | channel, number, value)
                for number, value in ((7, 100), (10, round(64 + 63 * pan)), (91, reverb), (93, chorus))]
    return [(0.0, bytes(message)) for message in control]


def strike(channel, pitch, velocity, start, end):
    return [(start, bytes((0x90 | channel, pitch, velocity))), (end, bytes((0x80 | channel, pitch, 0)))]


def swell(channel, low, high, length, draw):
    """Expression that goes slowly up and down."""
    period, phase = draw.uniform(5.0, 12.0), draw.uniform(0, 2 * math.pi)
    out, last = [], None
    for i in range(int(length / 0.03)):
        value = round(low + (high - low) * (0.5 + 0.5 * math.sin(2 * math.pi * i * 0.03 / period + phase)))
        if value != last:
            out.append((i * 0.03, bytes((0xB0 | channel, 11, value))))
        last = value
    return out


def spread_pans(count, draw):
    """Places from left to right in a drawn order, fewer in the middle than at the sides."""
    even = [2 * i / (count - 1) - 1 for i in range(count)]
    pans = [math.copysign(0.95 * abs(place) ** 0.6, place) for place in even]
    draw.shuffle(pans)
    return pans


def sustained(voices, length, draw, held, levels, reverb):
    """Voices that hold long overlapping notes. A voice is (program, pitches that it may take); it takes
    turns on two channels, so that a note starts while the one before it, even of the same pitch, ends."""
    events = []
    for v, ((program, choices), pan) in enumerate(zip(voices, spread_pans(len(voices), draw))):
        pair = CHANNELS[2 * v:2 * v + 2]
        for channel in pair:
            around = min(1.0, max(-1.0, pan + draw.uniform(-0.1, 0.1)))
            events += set_channel(channel, program, around, draw.uniform(-7, 7), reverb, 30)
            events += swell(channel, *levels, length, draw)
        start, turn, at = draw.uniform(0.0, 1.5), 0, draw.randrange(len(choices))
        while start < length:
            end = start + draw.uniform(*held)
            events += strike(pair[turn % 2], choices[at], draw.randint(60, 100), start, end)
            start, turn = end - draw.uniform(0.8, 1.8), turn + 1
            at = min(len(choices) - 1, max(0, at + draw.choice((-1, 0, 1))))
    return events


def choir(instruments, root, chord, length, draw):
    voices, count = [], draw.randint(5, 7)
    for v in range(count):
        program, low, high = instruments[v % len(instruments)]
        around = low + (high - low) * (v + 0.5) / count
        near = sorted(pitches(root, chord, low, high), key=lambda p: abs(p - around))
        voices.append((program, sorted(near[:3])))
    return sustained(voices, length, draw, (4.0, 10.0), (84, 120), 34)


def drone(instruments, root, chord, length, draw):
    tones = pitches(root, chord, 40, 69)
    first = draw.randint(0, min(2, len(tones) - 4))
    voices = []
    for v, tone in enumerate(tones[first:first + 4] + [tones[first], draw.choice(tones[first + 1:])]):
        able = [i for i in instruments if i[1] <= tone <= i[2]] or instruments
        voices.append((able[v % len(able)][0], [tone]))
    return sustained(voices, length, draw, (5.0, 11.0), (66, 124), 28)


def bells(instruments, root, chord, length, draw):
    """Strikes at random times, each left to ring until its own pitch is struck again."""
    short = any(program in SHORT for program, _, _ in instruments)
    rate = draw.uniform(1.6, 2.5) if short else draw.uniform(0.7, 2.2)
    longest = 1.2 if short else 2.2
    touch, events, struck = draw.randint(62, 84), [], {}
    pans, start = spread_pans(len(CHANNELS), draw), 0.1
    each = len(CHANNELS) // len(instruments)
    for c, channel in enumerate(CHANNELS):
        program = instruments[min(c // each, len(instruments) - 1)][0]
        events += set_channel(channel, program, pans[c], 0.0, 0, 0)
    while start < length:
        which = draw.randrange(len(instruments))
        able = pitches(root, chord, *instruments[which][1:])
        place = draw.randrange(len(able))
        channel = CHANNELS[which * each + place % each]
        struck.setdefault((channel, able[place]), []).append((start, min(120, max(30, round(draw.gauss(touch, 14))))))
        after = start + min(longest, draw.expovariate(rate))
        start = LEAD - 0.2 if start < LEAD - 0.2 < after else after     # the recording starts in a strike's ring
    for (channel, pitch), times in sorted(struck.items()):
        for (at, velocity), (end, _) in zip(times, times[1:] + [(length + 1.0, 0)]):
            events += strike(channel, pitch, velocity, at, end)
    return events


CLASSES = {"choir": (choir, CHOIRS, CHORDS), "drone": (drone, DRONES, FIFTHS), "bells": (bells, BELLS, SCALES)}


def as_midi(events, length):
    """A MIDI file of events (s, message). Of events at one time, a note's end goes first. No note is
    left on at the end: fluidsynth would render it for ever."""
    events = [(round(min(at, length) * TICKS), message) for at, message in events
              if at < length or message[0] & 0xF0 == 0x80]
    events.sort(key=lambda e: (e[0], e[1][0] & 0xF0 == 0x90, e[1][0] & 0xF0 != 0x80))
    return midi_file(events, round(length * TICKS))


def sound_of(midi, seconds, wet, font, folder):
    """fluidsynth's sound from LEAD on, (seconds * RATE, 2)."""
    settings = {"synth.reverb.active": int(wet), "synth.reverb.room-size": 0.5, "synth.reverb.level": 0.4,
                "synth.chorus.active": int(wet), "synth.chorus.level": 0.8}
    start, wanted = round(LEAD * RATE), round(seconds * RATE)
    x = play(midi, font, RATE, 0.3, settings, folder)[start:start + wanted]
    if len(x) < wanted or not np.any(x):
        raise Fault(f"fluidsynth made no sound, or too little ({font})")
    return x


def levelled(x):
    """At RMS_DB, or lower where the peak would pass PEAK_DB."""
    return x * min(10 ** (RMS_DB / 20) / np.sqrt(np.mean(x * x)), 10 ** (PEAK_DB / 20) / np.max(np.abs(x)))


def render_all(options):
    """Every recording of every class."""
    with tempfile.TemporaryDirectory() as folder:
        for kind, (compose, groups, chords) in CLASSES.items():
            os.makedirs(os.path.join(options.out_folder, kind), exist_ok=True)
            roots = list(range(12))
            random.Random(f"{options.seed} {kind}").shuffle(roots)
            total, levels = 0.0, []
            for i in range(RECORDINGS):
                draw = random.Random(f"{options.seed} {kind} {i}")
                (group, instruments), (chord, degrees) = groups[i % len(groups)], chords[i % len(chords)]
                root, seconds = roots[i % 12], draw.uniform(16.5, 20.0)
                events = compose(instruments, root, degrees, LEAD + seconds, draw)
                x = levelled(sound_of(as_midi(events, LEAD + seconds + 0.5), seconds, kind != "bells",
                                      options.soundfont, folder))
                # the number ends the name: names that differ in a last letter alone pass for one recording
                name = f"{NAMES[root]}-{chord}-{group}-{i + 1:02d}.flac"
                soundfile.write(os.path.join(options.out_folder, kind, name), x, RATE, subtype="PCM_24")
                total, levels = total + seconds, levels + [10 * math.log10(np.mean(x * x))]
            print(f"{kind}: {RECORDINGS} recordings, {total:.1f} s, RMS {min(levels):.1f} to {max(levels):.1f} dBFS")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_folder")
    parser.add_argument("--soundfont", default=FONT, metavar="FILE")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    try:
        check(options.soundfont)
        render_all(options)
    except Fault as fault:
        sys.exit(f"tonal_renders: {fault}")


if __name__ == "__main__":
    main()
