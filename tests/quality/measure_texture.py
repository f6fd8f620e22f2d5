#!/usr/bin/env python3
"""How good a texture model is, by a referee that is no part of Brume.

    measure_texture.py MODEL --sounds FOLDER --measure FOLDER [--class NAME ...]

Renders several seeds of each class in mono and compares them, with texture_distance.py in the
--measure folder, with the recordings in --sounds that the model's card says were held out. The
referee splits the recordings into random halves, so it is asked several times with other seeds.
Prints Markdown tables; --json FILE writes the figures too.

"real" is training sound in the place of rendered sound: what other recordings of the class reach.
BUILD is the folder that holds brume (build if not set).
"""
import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile

import numpy as np
import soundfile as sf

BRUME = os.path.join(os.environ.get("BUILD", "build"), "brume")
RATE = 32000  # Hz, of the referee's analysis


class Fault(Exception):
    """What keeps us from measuring; the message says what."""


def load_referee(folder):
    """The referee as a module, made to remember what does not depend on its seed."""
    path = os.path.join(folder, "texture_distance.py")
    spec = importlib.util.spec_from_file_location("texture_distance", path)
    referee = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(referee)
    remember(referee, "load", lambda path, rate: (path, rate))
    remember(referee, "envelopes", lambda x, rate, seed=0: (x.tobytes(), rate, seed))
    remember(referee, "logmel", lambda x, rate, win=0.064, floor=50: (x.tobytes(), rate, win, floor))
    return referee


def remember(module, name, key):
    """Replaces a pure function of the module by one that computes each result once."""
    function, known = getattr(module, name), {}

    def cached(*words, **named):
        at = hash(key(*words, **named))
        if at not in known:
            if len(known) > 400:
                known.clear()
            known[at] = function(*words, **named)
        return known[at]

    setattr(module, name, cached)


def brume(*words):
    """Runs brume; its JSON."""
    run = subprocess.run([BRUME, *words, "--json", "--quiet"], capture_output=True, text=True)
    if run.returncode:
        raise Fault(run.stderr.strip())
    return json.loads(run.stdout)


def parts_of(folder, name):
    """The files that a recording's name in the card stands for: with a letter for each piece."""
    class_name, recording = name.split("/", 1)
    pattern = re.compile(re.escape(recording) + r"(-[A-Z])?\.[A-Za-z0-9]+$")
    there = os.path.join(folder, class_name)
    files = sorted(os.path.join(there, f) for f in os.listdir(there) if pattern.match(f))
    if not files:
        raise Fault(f"{there}: holds no recording {recording}")
    return files


def cut(path, start, end, out):
    """Writes the part from start to end (shares) of a sound."""
    x, rate = sf.read(path, always_2d=True)
    sf.write(out, x[int(start * len(x)):int(end * len(x))], rate, subtype="FLOAT")
    return out


def recordings(card, key, class_name, sounds, work):
    """Files of one side of the split of a class, as the card lists them."""
    share = float(re.search(r"hold-out ([0-9.e-]+)", card["training"]).group(1))
    files = []
    for name in card[key].split(", "):
        name, _, part = name.partition(" (")
        if not name.startswith(class_name + "/"):
            continue
        for i, path in enumerate(parts_of(sounds, name)):
            if part:
                start, end = (1 - share, 1) if part == "its end)" else (0, 1 - share)
                out = f"{work}/{key}-{os.path.basename(path)}-{i}.wav"
                path = cut(path, start, end, out)
            files.append(path)
    return files


def excerpts(files, seconds, count, work):
    """`count` stretches of up to `seconds` of the files, spread over all of them."""
    lengths = [sf.info(f).duration for f in files]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    out = []
    for i in range(count):
        at = (i + 0.5) / count * starts[-1]
        k = int(np.searchsorted(starts, at, side="right")) - 1
        share = min(1.0, seconds / lengths[k])
        start = min((at - starts[k]) / lengths[k], 1 - share)
        out.append(cut(files[k], start, start + share, f"{work}/excerpt-{i}.wav"))
    return out


def judge(referee, seeds, generated, reference, **options):
    """The referee's results, one for each of its seeds."""
    arguments = {"window": 0, "count": 32, "rate": RATE, "max_seconds": 150, "memorisation": None,
                 "heldout": None, "diversity": False, "seams": None, "no_baselines": False, **options}
    space = argparse.Namespace(generated=generated, reference=reference, **arguments)
    return [referee.run(space, np.random.default_rng(seed)) for seed in range(seeds)]


def span(values):
    """Mean and range of numbers."""
    return {"mean": float(np.mean(values)), "least": float(min(values)), "most": float(max(values))}


def figures(results, *path):
    """The numbers at a path of keys through the results."""
    values = []
    for result in results:
        for key in path:
            result = result[key]
        values.append(result)
    return span(values)


def measure_distance(referee, a, class_name, card, work):
    """Distances of one class to its held-out recordings, and signs of copying and collapse."""
    held_out = recordings(card, "recordings_held_out", class_name, a.sounds, work)
    if not held_out:
        raise Fault(f"{class_name}: nothing of it was held out")
    seconds = sum(sf.info(f).duration for f in held_out)
    rendered = [f"{work}/{class_name}-{seed}.wav" for seed in range(a.seeds)]
    for seed, path in enumerate(rendered):
        brume("render", "--model", a.model, "--class", class_name, "--channels", "1", "--seed",
              str(seed), "--seconds", str(a.seconds), "-o", path)
    if a.quick:
        results = judge(referee, a.referee_seeds, rendered, held_out, no_baselines=True)
        return {"seconds": seconds, "total": figures(results, "ratio", "total")}
    train = recordings(card, "recordings", class_name, a.sounds, work)
    results = judge(referee, a.referee_seeds, rendered, held_out, memorisation=train,
                    heldout=held_out, diversity=True)
    real = judge(referee, a.referee_seeds, excerpts(train, a.seconds, a.seeds, work), held_out,
                 no_baselines=True)
    return {"seconds": seconds,
            "total": figures(results, "ratio", "total"),
            "real": figures(real, "ratio", "total"),
            "noise": figures(results, "baseline_noise", "total"),
            "grains": figures(results, "baseline_grains", "total"),
            "bias": figures(results, "bias", "total"),
            "bias_real": figures(real, "bias", "total"),
            "bias_floor": figures(results, "floor_bias", "total"),
            "spread": figures(results, "spread", "total"),
            "spread_real": figures(real, "spread", "total"),
            "memorisation": figures(results, "memorisation", "ratio"),
            "copied": figures(results, "memorisation", "copied"),
            "level": figures(results, "level_difference_db"),
            **{"diversity_" + key: figures(results, "diversity", key)
               for key in ("statistics", "seeds", "loops")}}


def measure_seams(referee, a, class_name, work):
    """z scores of the joins in one long render, in the mean over the referee's seeds."""
    path = f"{work}/{class_name}-seams.wav"
    seconds = 40 if a.quick else 60
    result = brume("render", "--model", a.model, "--class", class_name, "--channels", "1",
                   "--seconds", str(seconds), "-o", path)
    x, _ = referee.load(path, RATE)
    joins = np.arange(result["first_join"], seconds, result["join_interval"])
    z = [referee.seams(x, RATE, joins, np.random.default_rng(seed)) for seed in range(a.referee_seeds)]
    return {key: span([s[key + "_mean"] for s in z]) for key in ("flux", "step", "dip")}


def measure_drift(referee, a, class_name, work):
    """Level and spectrum: the last 10 s of 120 s against the first, and random 10 s against others."""
    path = f"{work}/{class_name}-drift.wav"
    brume("render", "--model", a.model, "--class", class_name, "--channels", "1", "--seconds", "120",
          "-o", path)
    x, _ = referee.load(path, RATE)
    part = 10 * RATE

    def describe(start):
        mel = referee.logmel(x[start:start + part], RATE)
        return 10 * np.log10(np.mean(x[start:start + part] ** 2)), mel.mean(axis=0)

    def compare(one, other):
        return abs(one[0] - other[0]), np.sqrt(np.mean((one[1] - other[1]) ** 2))

    parts = [describe(start) for start in range(0, len(x) - part + 1, part // 2)]
    pairs = [compare(parts[i], parts[j]) for i in range(len(parts)) for j in range(i + 2, len(parts))]
    level, spectrum = compare(parts[0], parts[-1])
    return {"level": float(level), "level_usual": float(np.mean([p[0] for p in pairs])),
            "level_rank": float(np.mean([p[0] < level for p in pairs])),
            "spectrum": float(spectrum), "spectrum_usual": float(np.mean([p[1] for p in pairs])),
            "spectrum_rank": float(np.mean([p[1] < spectrum for p in pairs]))}


def show(figure, digits=2):
    """Mean and range in a cell."""
    return "{mean:.{d}f} ({least:.{d}f}-{most:.{d}f})".format(d=digits, **figure)


def mean(figure, digits=2):
    """The mean alone."""
    return f"{figure['mean']:.{digits}f}"


def print_tables(result, a):
    """Everything as Markdown."""
    print(f"{a.seeds} seeds of {a.seconds:g} s a class against held-out recordings; mean (range) over "
          f"{a.referee_seeds} seeds of the referee.\n")
    if a.quick:
        print("| class | held out, s | TOTAL |\n|---|---|---|")
        for name, r in result.items():
            print(f"| {name} | {r['seconds']:.0f} | {show(r['total'])} |")
    else:
        print("| class | held out, s | TOTAL | real | noise | grains | bias | real | floor | spread | real |"
              "\n|---|---|---|---|---|---|---|---|---|---|---|")
        for name, r in result.items():
            print(f"| {name} | {r['seconds']:.0f} | {show(r['total'])} | {mean(r['real'])} | "
                  f"{mean(r['noise'])} | {mean(r['grains'])} | {mean(r['bias'])} | "
                  f"{mean(r['bias_real'])} | {mean(r['bias_floor'])} | {mean(r['spread'])} | "
                  f"{mean(r['spread_real'])} |")
        print("\n| class | memorisation | copied | diversity: statistics | seeds | loops | level, dB |"
              "\n|---|---|---|---|---|---|---|")
        for name, r in result.items():
            print(f"| {name} | {show(r['memorisation'])} | {100 * r['copied']['mean']:.1f} % | "
                  f"{mean(r['diversity_statistics'])} | {mean(r['diversity_seeds'])} | "
                  f"{mean(r['diversity_loops'])} | {r['level']['mean']:+.1f} |")
    print("\nSeams, mean z of all joins; drift of the last 10 s of 120 s from the first, in brackets "
          "what is usual\nbetween any two parts and the share of pairs that lie closer.\n")
    print("| class | flux | step | dip | drift of level, dB | of spectrum, dB |\n|---|---|---|---|---|---|")
    for name, r in result.items():
        seams, drift = r["seams"], r.get("drift")
        cells = "- | -"
        if drift:
            cells = " | ".join(f"{drift[k]:.2f} ({drift[k + '_usual']:.2f}, {100 * drift[k + '_rank']:.0f} %)"
                               for k in ("level", "spectrum"))
        print(f"| {name} | {seams['flux']['mean']:+.1f} | {seams['step']['mean']:+.1f} | "
              f"{seams['dip']['mean']:+.1f} | {cells} |")


def main():
    """Measures the classes one after another."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("model", help="a texture model, by path or name")
    ap.add_argument("--sounds", required=True, metavar="FOLDER", help="the recordings, by class")
    ap.add_argument("--measure", required=True, metavar="FOLDER", help="where texture_distance.py lies")
    ap.add_argument("--class", dest="classes", nargs="+", metavar="NAME", help="only these")
    ap.add_argument("--seeds", type=int, default=6, help="renders of each class (6)")
    ap.add_argument("--seconds", type=float, default=10, help="of each render (10)")
    ap.add_argument("--referee-seeds", type=int, default=8, help="how often the referee is asked (8)")
    ap.add_argument("--quick", action="store_true", help="TOTAL, and seams in 40 s, only")
    ap.add_argument("--json", metavar="FILE", help="write the figures here too")
    a = ap.parse_args()
    try:
        referee = load_referee(a.measure)
        card = brume("info", a.model)
        classes = json.loads(card["config"])["classes"]
        result = {}
        for class_name in a.classes or classes:
            print(f"measuring {class_name}", file=sys.stderr)
            with tempfile.TemporaryDirectory() as work:
                r = measure_distance(referee, a, class_name, card, work)
                r["seams"] = measure_seams(referee, a, class_name, work)
                if not a.quick:
                    r["drift"] = measure_drift(referee, a, class_name, work)
                result[class_name] = r
    except (Fault, OSError) as fault:
        print(f"measure_texture: {fault}", file=sys.stderr)
        return 1
    print_tables(result, a)
    if a.json:
        with open(a.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
