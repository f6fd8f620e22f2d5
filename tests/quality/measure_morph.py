#!/usr/bin/env python3
"""Whether morphs between two classes lead from the one to the other.

    measure_morph.py MODEL --sounds FOLDER [--sounds FOLDER] --measure FOLDER [--pair ONE:OTHER ...]

Renders each pair at the weights 0, 1/4, 1/2, 3/4 and 1 of the other class and compares the renders,
with texture_distance.py in the --measure folder, with the recordings of both classes: how far the mean
statistics lie from theirs (the referee's bias). A morph is good when its level keeps within 1.5 dB of
the straight line between its ends, in dB, and when it leaves the one class and nears the other at every
step. Prints a Markdown table; --json FILE writes the figures
too. BUILD is the folder that holds brume (build if not set).
"""
import argparse
import json
import sys
import tempfile

import numpy as np
import soundfile as sf

from brume import brume, fingerprint, render, write_figures
from fault import Fault
from recordings import excerpts, whole_recordings
from referee import figures, judge, load_referee

WEIGHTS = 0.0, 0.25, 0.5, 0.75, 1.0
PAIRS = "rain:waves fire:crickets wind:storm birds:rain choir:bells wind:choir".split()
LEVEL_MOST = 1.5    # dB off the straight line
REFERENCE = 20, 6   # s, excerpts of all recordings of a class
SLACK = 0.05        # of the distance: chance alone moves it by so much


def level(paths):
    """dB, of the mean power of files."""
    return float(10 * np.log10(np.mean([np.mean(sf.read(p)[0] ** 2) for p in paths])))


def references(card, pair, a, work):
    """Sound of both classes to compare with: excerpts that are spread over all of it."""
    out = []
    for name in pair:
        files = whole_recordings(card, name, a.sounds)
        if not files:
            raise Fault(f"{name}: the model's card names no recording of it")
        with tempfile.TemporaryDirectory(dir=work) as place:
            pieces = excerpts(files, *REFERENCE, place)
            kept = [f"{work}/{name}-{i}.wav" for i in range(len(pieces))]
            for piece, path in zip(pieces, kept):
                x, rate = sf.read(piece)
                sf.write(path, x, rate, subtype="FLOAT")
        out.append(kept)
    return out


def measure_pair(referee, a, card, pair):
    """Figures at each of the weights."""
    one, other = pair
    with tempfile.TemporaryDirectory() as work:
        real = references(card, pair, a, work)
        points = []
        for weight in WEIGHTS:
            paths = [f"{work}/morph-{weight}-{seed}.wav" for seed in range(a.seeds)]
            for seed, path in enumerate(paths):
                render(a.model, f"{one}:{1 - weight},{other}:{weight}", a.seconds, seed, path)
            far = [figures(judge(referee, a.referee_seeds, paths, files, no_baselines=True),
                           "bias", "total")["mean"] for files in real]
            points.append({"weight": weight, "level": level(paths), "one": far[0], "other": far[1]})
    ends = points[0]["level"], points[-1]["level"]
    for p in points:
        p["off_line"] = p["level"] - (ends[0] + p["weight"] * (ends[1] - ends[0]))
    return points


def verdict(points):
    """What is wrong with a morph; nothing is the empty text."""
    faults = []
    worst = max((p["off_line"] for p in points), key=abs)
    if abs(worst) > LEVEL_MOST:
        faults.append(f"level {worst:+.1f} dB")
    for key, sign, what in (("one", 1, "leaving"), ("other", -1, "nearing")):
        steps = sign * np.diff([p[key] for p in points])
        if steps.min() < -SLACK:
            faults.append(f"turns back while {what}")
    return ", ".join(faults)


def print_table(result):
    """One row a pair."""
    print("Level off the straight line between the ends, dB; distance of the mean statistics from "
          "recordings of\nthe one class and of the other; at the weights 0, 1/4, 1/2, 3/4, 1 of the other.\n")
    print("| pair | level | from the one | from the other | fault |\n|---|---|---|---|---|")
    for name, points in result["pairs"].items():
        rows = [" ".join(format(p[key], form) for p in points)
                for key, form in (("off_line", "+.1f"), ("one", ".2f"), ("other", ".2f"))]
        print(f"| {name} | " + " | ".join(rows) + f" | {verdict(points) or '-'} |")


def main():
    """Measures the pairs one after another."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("model", help="a texture model, by path or name")
    ap.add_argument("--sounds", required=True, action="append", metavar="FOLDER",
                    help="the recordings, by class; again for another folder")
    ap.add_argument("--measure", required=True, metavar="FOLDER", help="where texture_distance.py lies")
    ap.add_argument("--pair", dest="pairs", nargs="+", metavar="ONE:OTHER",
                    help="classes to morph between (" + " ".join(PAIRS) + ", those that the model has)")
    ap.add_argument("--seeds", type=int, default=3, help="renders of each point (3)")
    ap.add_argument("--seconds", type=float, default=10, help="of each render (10)")
    ap.add_argument("--referee-seeds", type=int, default=3, help="how often the referee is asked (3)")
    ap.add_argument("--json", metavar="FILE", help="write the figures here too")
    a = ap.parse_args()
    try:
        referee = load_referee(a.measure)
        card = brume("info", a.model)
        classes = json.loads(card["config"])["classes"]
        pairs = a.pairs or [p for p in PAIRS if set(p.split(":")) <= set(classes)]
        result = {"model": fingerprint(card), "pairs": {}}
        for pair in pairs:
            if pair.count(":") != 1:
                raise Fault(f"--pair {pair}: give two classes with a colon between them")
            print(f"measuring {pair}", file=sys.stderr)
            result["pairs"][pair] = measure_pair(referee, a, card, pair.split(":"))
    except (Fault, OSError) as fault:
        print(f"measure_morph: {fault}", file=sys.stderr)
        return 1
    print_table(result)
    if a.json:
        write_figures(a.json, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
