#!/usr/bin/env python3
"""What training on a user's own sounds gives, by how much sound and how many steps: tests/bench/OWN.md.

    own_sounds.py --work FOLDER --measure FOLDER [--only SOUND:SECONDS:STEPS ...] [--fill FILE ...]

Sounds that the shipped model was never trained on are synthesised (bubbling, applause): what is trained on,
cut as somebody would cut it, and three minutes apart from it to test on. For each row of the table a model is
trained with one thread, from the shipped one, and 3 x 20 s of it are held against the test sound by `brume
compare` and by the referee. Rows that were measured are kept in FOLDER, so that it may be called again and
again; --only makes some of them. Times follow from the speed of the machine, which is measured at the end
with one thread and with two. BUILD is the folder of brume (build if not set).
"""
import argparse
import json
import os
import re
import subprocess
import sys

import numpy as np
import soundfile
from scipy import signal

from brume import BRUME, brume, render_seeds, write_figures
from fault import Fault
from marked import fill
from referee import figures, judge, load_referee

RATE = 44100
ROWS = [("bubbling", 20, 400), ("bubbling", 60, 400), ("bubbling", 60, 1600), ("bubbling", 300, 1600),
        ("applause", 20, 400), ("applause", 60, 400), ("applause", 60, 1600)]
CUTS = {20: 2, 60: 60, 300: 30}  # s of each recording, by seconds of sound
TEST_SECONDS, SEEDS, RENDERED = 180, 3, 20


def bubbling(rng, seconds):
    """Bubbles that burst, forty a second, above a soft hiss: sines that rise and die away (Minnaert 1933)."""
    n = int(seconds * RATE)
    sound = 0.002 * rng.standard_normal(n + RATE)
    for start in rng.uniform(0, n, rng.poisson(40 * seconds)).astype(int):
        frequency = np.exp(rng.normal(np.log(900), 0.5))
        life = rng.uniform(0.5, 2.0) * 12 / frequency
        t = np.arange(int(min(8 * life, 0.9) * RATE)) / RATE
        phase = 2 * np.pi * frequency * (t + rng.uniform(0, 0.1) / life * t * t / 2)
        sound[start:start + len(t)] += rng.lognormal(-3.2, 0.7) * np.sin(phase) * np.exp(-t / life)
    return sound[:n]


def applause(rng, seconds):
    """Forty people who clap three to five times a second, each with hands and a place of their own, in a room:
    always the same people, and the same room."""
    n = int(seconds * RATE)
    sound = np.zeros(n + RATE)
    t = np.arange(int(0.03 * RATE)) / RATE
    people = np.random.default_rng(11)
    for _ in range(40):
        centre, level, pace = people.uniform(700, 2600), people.lognormal(-2.5, 0.5), people.uniform(0.2, 0.33)
        band = signal.butter(1, [centre / 1.5, centre * 1.5], "bandpass", fs=RATE, output="sos")
        at = rng.uniform(0, 0.3)
        while at < seconds:
            clap = rng.standard_normal(len(t)) * np.exp(-t / rng.uniform(0.002, 0.005))
            start = int(at * RATE)
            sound[start:start + len(t)] += level * rng.lognormal(0, 0.2) * signal.sosfilt(band, clap)
            at += pace * rng.normal(1, 0.06)
    room = np.random.default_rng(7).standard_normal(int(0.4 * RATE))
    room *= np.exp(-np.arange(len(room)) / (0.09 * RATE))
    room[0] = 12
    return signal.fftconvolve(sound, room)[:n]


MAKERS = {"bubbling": bubbling, "applause": applause}


def write_sounds(work, name):
    """The recordings of a sound, once: a folder for each amount to train on, the test sound, another like it."""
    folder = os.path.join(work, name)
    done = os.path.join(folder, "done")
    if os.path.exists(done):
        return folder
    loudest = None
    for part, seconds, cut in [("test", TEST_SECONDS, TEST_SECONDS), ("real", 60, 20)] + \
            [(f"{s}/{name}", s, c) for s, c in CUTS.items()]:
        rng = np.random.default_rng([sum(name.encode()), seconds])
        sound = MAKERS[name](rng, seconds)
        loudest = loudest or np.abs(sound).max()
        os.makedirs(os.path.join(folder, part), exist_ok=True)
        for i in range(seconds // cut):
            at = slice(i * cut * RATE, (i + 1) * cut * RATE)
            soundfile.write(os.path.join(folder, part, f"{i:02}.wav"), 0.5 * sound[at] / loudest, RATE)
    open(done, "w", encoding="ascii").close()
    return folder


def files_of(folder):
    """All its sounds."""
    return [os.path.join(folder, file) for file in sorted(os.listdir(folder))]


def train(a, folder, name, seconds, steps):
    """Trains a model; its file and what training said of itself."""
    model = os.path.join(a.work, f"{name}-{seconds}-{steps}.safetensors")
    resume = ["--resume"] if os.path.exists(model + ".checkpoint") else []
    return model, brume("train", "texture", os.path.join(folder, str(seconds)), "--steps", str(steps), "--seed",
                        "1", *resume, "-o", model)


def measure_sounds(referee, folder, learnt, sounds):
    """How far sounds are from the test sound, by our own figures and by the referee's."""
    test = files_of(os.path.join(folder, "test"))
    ours = [brume("compare", test[0], sound, "--learnt", learnt) for sound in sounds]
    theirs = judge(referee, SEEDS, sounds, test, memorisation=files_of(learnt))
    means = {key: figures(theirs, *path)["mean"] for key, path in
             (("total", ("ratio", "total")), ("noise", ("baseline_noise", "total")),
              ("spread", ("spread", "total")), ("memorisation", ("memorisation", "ratio")),
              ("copied", ("memorisation", "copied")))}
    return {**means, "ours": float(np.mean([o["total"] for o in ours])),
            "our_memorisation": float(np.mean([o["memorisation"]["ratio"] for o in ours]))}


def measure_row(a, referee, name, seconds, steps):
    """Trains, if need be, and measures one row; its figures."""
    kept = os.path.join(a.work, f"{name}-{seconds}-{steps}.json")
    if os.path.exists(kept):
        with open(kept, encoding="utf-8") as file:
            return json.load(file)
    folder = write_sounds(a.work, name)
    learnt = os.path.join(folder, str(seconds), name)
    model, trained = train(a, folder, name, seconds, steps)
    made = os.path.join(a.work, f"made-{seconds}-{steps}")
    os.makedirs(made, exist_ok=True)
    row = measure_sounds(referee, folder, learnt, render_seeds(model, name, RENDERED, SEEDS, made))
    row["real"] = measure_sounds(referee, folder, learnt, files_of(os.path.join(folder, "real")))["total"]
    row["steps"], row["best_step"] = trained["steps"], trained.get("best_step", trained["steps"])
    write_figures(kept, row)
    return row


def measure_speed(a, threads):
    """Steps a second on this machine, as brume train says before it starts."""
    folder = write_sounds(a.work, "bubbling")
    run = subprocess.run([BRUME, "train", "texture", os.path.join(folder, "60"), "--steps", "1", "--threads",
                          str(threads), "-o", os.path.join(a.work, "speed.safetensors")],
                         capture_output=True, text=True)
    found = re.search(r"([0-9.]+) steps/s, ([0-9]+) MB", run.stdout)
    if run.returncode or not found:
        raise Fault(run.stderr.strip() or "brume train does not say how fast it is")
    return float(found[1]), int(found[2])


def minutes(steps, speed):
    """The time that so many steps take, in words."""
    m = steps / speed / 60
    return f"{m:.0f} min" if m < 90 else f"{m / 60:.1f} h"


def table(rows, speeds):
    """The figures as Markdown."""
    lines = ["| sound | of it | steps | one core | two cores | TOTAL | real | noise | memorisation | copied |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    for (name, seconds, steps), r in rows:
        stopped = f", stopped at {r['steps']}" if r["steps"] < steps else ""
        lines.append(f"| {name} | {f'{seconds} s' if seconds < 60 else f'{seconds // 60} min'} | {steps}{stopped} | "
                     + " | ".join(minutes(r["steps"], s) for s, _ in speeds) +
                     f" | {r['total']:.2f} | {r['real']:.2f} | {r['noise']:.2f} | {r['memorisation']:.2f} | "
                     f"{100 * r['copied']:.0f} % |")
    lines.append(f"\nOne thread: {speeds[0][0]:.2f} steps a second in {speeds[0][1]} MB; two: {speeds[1][0]:.2f} in "
                 f"{speeds[1][1]} MB.")
    return "\n".join(lines)


def main():
    """Reads the arguments, measures and writes."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--work", required=True, help="where sounds, models and figures are kept")
    ap.add_argument("--measure", required=True, help="the referee's folder")
    ap.add_argument("--only", action="append", metavar="SOUND:SECONDS:STEPS", help="this row; may be repeated")
    ap.add_argument("--fill", action="append", default=[], metavar="FILE",
                    help="put the table between the marks own_sounds of this document")
    a = ap.parse_args()
    chosen = [row for row in ROWS if not a.only or "{}:{}:{}".format(*row) in a.only]
    if not chosen:
        raise Fault("--only: no such row; there are " + ", ".join("{}:{}:{}".format(*row) for row in ROWS))
    os.makedirs(a.work, exist_ok=True)
    referee = load_referee(a.measure)
    rows = []
    for row in chosen:
        rows.append((row, measure_row(a, referee, *row)))
        print(*row, {key: round(value, 3) for key, value in rows[-1][1].items()}, flush=True)
    text = table(rows, [measure_speed(a, 1), measure_speed(a, 2)])
    print(text)
    for path in a.fill:
        fill(path, "own_sounds", text)


if __name__ == "__main__":
    try:
        main()
    except Fault as fault:
        sys.exit(f"own_sounds.py: {fault}")
