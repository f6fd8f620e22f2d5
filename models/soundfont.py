"""Sound out of a soundfont, for the renders to train on: MIDI files written and played by fluidsynth.

Needs fluidsynth with FluidR3_GM.sf2 (Debian: fluidsynth fluid-soundfont-gm python3-soundfile)."""
import os
import shutil
import subprocess

import soundfile

FONT = "/usr/share/sounds/sf2/FluidR3_GM.sf2"
TICKS = 20000   # a second, in the files that fluidsynth is given
LONGEST = 300   # s that it may take: a note that is left on is rendered for ever


class Fault(Exception):
    """What keeps us from playing; the message says what, and the mend."""


def check(font):
    """fluidsynth and the soundfont are there. It would play one of its own choice in place of what it
    cannot read."""
    if not shutil.which("fluidsynth"):
        raise Fault("fluidsynth is missing (Debian: fluidsynth)")
    if not os.path.isfile(font):
        raise Fault(f"soundfont {font} is missing (Debian: fluid-soundfont-gm)")
    with open(font, "rb") as file:
        head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise Fault(f"{font} is not a SoundFont 2 file")


def midi_file(events, end):
    """Events (tick, message) in their order -> a MIDI file of one track, TICKS to the second, that ends
    at the tick `end`."""
    body, last = bytearray(b"\x00\xff\x51\x03\x0f\x42\x40"), 0
    for tick, message in [*events, (end, b"\xff\x2f\x00")]:
        delta, last = tick - last, tick
        groups = [delta & 127]
        while delta := delta >> 7:
            groups.append(delta & 127 | 128)
        body += bytes(reversed(groups)) + message
    return (b"MThd\x00\x00\x00\x06\x00\x00\x00\x01" + TICKS.to_bytes(2, "big") + b"MTrk"
            + len(body).to_bytes(4, "big") + bytes(body))


def play(midi, font, rate, gain, settings, folder):
    """fluidsynth's sound of a MIDI file at `rate` Hz, (n, 2). settings: its own, {name: value}; files
    are made in `folder`, and removed."""
    tune, sound = os.path.join(folder, "tune.mid"), os.path.join(folder, "sound.wav")
    with open(tune, "wb") as file:
        file.write(midi)
    settings = {"synth.dynamic-sample-loading": 1, **settings}
    command = ["fluidsynth", "-niq", "-F", sound, "-T", "wav", "-O", "float", "-r", str(rate), "-g", str(gain)]
    command += [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    try:
        done = subprocess.run([*command, font, tune], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              check=False, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        raise Fault(f"fluidsynth did not end within {LONGEST} s") from None
    if done.returncode or not os.path.exists(sound):
        raise Fault(f"fluidsynth failed: {done.stderr.strip()}")
    x = soundfile.read(sound, always_2d=True)[0]
    os.remove(sound)
    return x
