#!/usr/bin/env python3
"""Compares representations of sound by round trips without any model.

    compare.py FOLDER [FOLDER ...] --measure FOLDER [--class NAME ...] [--representation NAME ...]

Takes the classes (folders of recordings) in each FOLDER apart into sound to work on and sound held
out: recordings in turn where there are several of a length, else the end of the longest. Sends the
former through each representation and asks texture_distance.py, in the --measure folder, how far
what comes back lies from the same sound ("same") and from the held-out sound ("held"); "untouched"
is the sound itself in its place, and bounds what any representation can reach. The crest (dB in
sixths of an octave, tests/quality/crest.py) tells what became of tone. Prints a Markdown table.
BUILD is the folder that holds the round-trip program (build if not set).
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import soundfile as sf

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "quality"))
from crest import crest  # noqa: E402
from fault import Fault  # noqa: E402
from referee import judge, load_referee  # noqa: E402

PROGRAM = os.path.join(os.environ.get("BUILD", "build"), "tests/bench/representations/representations")
MOST_FILES = 5      # of each side
LONG = 3.0          # a recording so many times longer than the next is taken by itself
MOST_SECONDS = 40   # of each file
HELD = 0.4          # share of a lone recording that is held out


def program(*words):
    """Runs the round-trip program; what it prints."""
    run = subprocess.run([PROGRAM, *words], capture_output=True, text=True)
    if run.returncode:
        raise Fault(run.stderr.strip())
    return run.stdout


def mono(path, out, start=0.0, end=1.0):
    """Writes the mono mix of the part from start to end (shares), MOST_SECONDS at most; its path."""
    x, rate = sf.read(path, always_2d=True)
    x = x[int(start * len(x)):int(end * len(x))][:int(MOST_SECONDS * rate)]
    sf.write(out, x.mean(axis=1), rate, subtype="FLOAT")
    return out


def split(folder, work):
    """A class's recordings -> mono files to work on, mono files held out."""
    files = [os.path.join(folder, f) for f in os.listdir(folder)]
    files.sort(key=lambda f: (-round(sf.info(f).duration), f))
    lengths = [sf.info(f).duration for f in files]
    if not files:
        raise Fault(f"{folder}: holds no recordings")
    if len(files) < 2 or lengths[0] > LONG * lengths[1]:
        return ([mono(files[0], f"{work}/work.wav", 0, 1 - HELD)],
                [mono(files[0], f"{work}/held.wav", 1 - HELD, 1)])
    sides = files[:2 * MOST_FILES:2], files[1:2 * MOST_FILES:2]
    return tuple([mono(f, f"{work}/{name}-{i}.wav") for i, f in enumerate(side)]
                 for name, side in zip(("work", "held"), sides))


def judge_one(referee, seeds, files, work, held, untouched):
    """TOTAL against the same sound and against sound held out, and the crest and its error."""
    same, other = (float(np.mean([r["ratio"]["total"] for r in
                                  judge(referee, seeds, files, reference, no_baselines=True)]))
                   for reference in (work, held))
    dB = crest(files)
    return {"same": same, "held": other, "crest": dB,
            "crest_error": dB - untouched["crest"] if untouched else 0.0}


def compare(referee, seeds, folder, names):
    """One class -> {representation or "untouched": figures}."""
    with tempfile.TemporaryDirectory() as place:
        work, held = split(folder, place)
        result = {"untouched": judge_one(referee, seeds, work, work, held, None)}
        for name in names:
            back = [f"{path[:-4]}-{name}.wav" for path in work]
            for path, out in zip(work, back):
                program(name, path, out)
            result[name] = judge_one(referee, seeds, back, work, held, result["untouched"])
        return result


def print_head(columns):
    """What the table holds."""
    print("TOTAL against the same sound / held-out sound, and the crest in dB.\n\n| class | "
          + " | ".join(columns) + " |\n|---" + "|---" * len(columns) + "|", flush=True)


def print_class(class_name, figures, columns):
    """One class, as soon as it is measured."""
    cells = [f"{f['same']:.2f} / {f['held']:.2f}, {f['crest']:.1f}" for f in (figures[c] for c in columns)]
    print(f"| {class_name} | " + " | ".join(cells) + " |", flush=True)


def print_means(result, columns):
    """The mean over classes; of the crest, how far it lies from that of the untouched sound."""
    def mean(column, key):
        return np.mean([abs(f[column][key]) for f in result.values()])

    cells = [f"{mean(c, 'same'):.2f} / {mean(c, 'held'):.2f}, {mean(c, 'crest_error'):.2f} off"
             for c in columns]
    print("| mean | " + " | ".join(cells) + " |")


def main():
    """Compares class by class."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folders", nargs="+", metavar="FOLDER", help="recordings, by class")
    ap.add_argument("--measure", required=True, metavar="FOLDER", help="where texture_distance.py lies")
    ap.add_argument("--class", dest="classes", nargs="+", metavar="NAME", help="only these")
    ap.add_argument("--representation", nargs="+", metavar="NAME", help="only these")
    ap.add_argument("--referee-seeds", type=int, default=3, help="how often the referee is asked (3)")
    ap.add_argument("--json", metavar="FILE", help="write the figures here too")
    a = ap.parse_args()
    try:
        referee = load_referee(a.measure)
        names = a.representation or [line.split("\t")[0] for line in program("--list").splitlines()]
        columns, result = ["untouched", *names], {}
        print_head(columns)
        for folder in (os.path.join(f, c) for f in a.folders for c in sorted(os.listdir(f))):
            class_name = os.path.basename(folder)
            if os.path.isdir(folder) and class_name in (a.classes or [class_name]):
                print(f"comparing {class_name}", file=sys.stderr)
                result[class_name] = compare(referee, a.referee_seeds, folder, names)
                print_class(class_name, result[class_name], columns)
    except (Fault, OSError) as fault:
        print(f"compare: {fault}", file=sys.stderr)
        return 1
    print_means(result, columns)
    if a.json:
        with open(a.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
