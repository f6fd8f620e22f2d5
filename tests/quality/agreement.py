#!/usr/bin/env python3
"""How well `brume compare` agrees with the referee texture_distance.py, over pairs of sounds.

    agreement.py --sounds FOLDER --measure FOLDER [--model MODEL] [--report FILE]

--sounds has a folder of recordings for each class, --measure the referee. References are long recordings
and the first half of each class's short ones; what is held against them are the other halves, other
recordings and renders of the model, of the same class and of others, renders of one step (which are poor)
among them. Prints the table; with --report writes it there too. BUILD is the folder of brume (build if not
set).

The referee draws its windows, so it is asked with several seeds and their mean taken; how far its first
seed agrees with that mean says what agreement there can be.
"""
import argparse
import os
import pathlib
import sys
import tempfile

import numpy as np
from scipy import stats

from brume import brume, render
from fault import Fault
from referee import figures, judge, load_referee

SEEDS = 3
FOLDED = "rain fire waves helicopter clock chainsaw".split()
RENDERED = "rain fire waves birds crickets".split()
LONG = {"rain": "blanket-rain", "waves": "blanket-waves", "birds": "blanket-birds",
        "crickets": "blanket-summer-night", "boat": "blanket-boat"}
ACROSS = "rain half", "waves half", "birds", "helicopter half", "fire render", "birds render"


def links(work, name, files):
    """A folder of links to files, in which brume compare finds them."""
    folder = os.path.join(work, name)
    os.makedirs(folder)
    for file in files:
        os.symlink(os.path.abspath(file), os.path.join(folder, os.path.basename(file)))
    return folder


def collect(a, work):
    """References and sounds to compare: {name: (class, path for brume, files for the referee)}."""
    references, sounds = {}, {}
    for class_name in FOLDED:
        clips = sorted(pathlib.Path(a.sounds, class_name).glob("esc-*"))
        if len(clips) < 8:
            raise Fault(f"{a.sounds}/{class_name}: {len(clips)} recordings esc-*; 8 or more are needed")
        files = [str(f) for f in clips]
        for to, side, part in ((references, "first", files[:len(files) // 2]),
                               (sounds, "second", files[len(files) // 2:])):
            to[f"{class_name} half"] = class_name, links(work, f"{class_name}-{side}", part), part
    for class_name, file in LONG.items():
        path = os.path.join(a.sounds, class_name, file + ".ogg")
        references[class_name] = sounds[class_name] = class_name, path, [path]
    for class_name in RENDERED:
        for steps in (1, 8):
            path = os.path.join(work, f"{class_name}-{steps}.wav")
            render(a.model, class_name, 15, 1, path, steps=steps)
            name = f"{class_name} render" + (" of 1 step" if steps == 1 else "")
            sounds[name] = class_name, path, [path]
    return references, sounds


def pairs_of(references, sounds):
    """(reference, sound) by name: all of a class with each other, and some across."""
    for name, (class_name, path, _) in references.items():
        for other, (other_class, other_path, _) in sounds.items():
            if path != other_path and (class_name == other_class or other in ACROSS):
                yield name, other


def measure(referee, reference, sound):
    """Figures of one pair: those of brume, and the referee's by seed."""
    ours = brume("compare", reference[1], sound[1])
    theirs = judge(referee, SEEDS, sound[2], reference[2], no_baselines=True, memorisation=reference[2])
    return {"same": reference[0] == sound[0], "ours": ours, "theirs": theirs}


def correlations(ours, theirs):
    """Pearson's, of the logarithms, and Spearman's."""
    return (np.corrcoef(ours, theirs)[0, 1], np.corrcoef(np.log(ours), np.log(theirs))[0, 1],
            stats.spearmanr(ours, theirs)[0])


def agreement_rows(found):
    """(what, pairs, correlations, median and worst difference) of each figure."""
    def totals(among):
        return ([r["ours"]["total"] for r in among], [figures(r["theirs"], "ratio", "total")["mean"] for r in among])
    same, across = ([r for r in found if r["same"] == s] for s in (True, False))
    near = [r for r in found if figures(r["theirs"], "ratio", "total")["mean"] < 2]
    with_copies = [r for r in found if r["ours"]["memorisation"]]
    yield "TOTAL", *totals(found)
    yield "TOTAL, within a class", *totals(same)
    yield "TOTAL, across classes", *totals(across)
    yield "TOTAL, where it is below 2", *totals(near)
    yield "the referee's first seed against its mean", [r["theirs"][0]["ratio"]["total"] for r in found], totals(found)[1]
    yield "bias", [r["ours"]["bias"] for r in found], [figures(r["theirs"], "bias", "total")["mean"] for r in found]
    yield "spread", [r["ours"]["spread"] for r in found], [figures(r["theirs"], "spread", "total")["mean"] for r in found]
    yield ("memorisation", [r["ours"]["memorisation"]["ratio"] for r in with_copies],
           [figures(r["theirs"], "memorisation", "ratio")["mean"] for r in with_copies])


def text(found, names):
    """The report in Markdown."""
    lines = ["| figure | pairs | correlation | of logarithms | of ranks | median difference | largest |",
             "|---|---|---|---|---|---|---|"]
    for what, ours, theirs in agreement_rows(found):
        apart = np.abs(np.log(ours) - np.log(theirs))
        lines.append(f"| {what} | {len(ours)} | " + " | ".join(f"{c:.3f}" for c in correlations(ours, theirs))
                     + f" | {100 * np.expm1(np.median(apart)):.1f} % | {100 * np.expm1(np.max(apart)):.0f} % |")
    lines += ["", "| reference | sound | TOTAL | referee's (its seeds) | memorisation | referee's |", "|---|---|---|---|---|---|"]
    for (reference, sound), row in zip(names, found):
        total = figures(row["theirs"], "ratio", "total")
        copies = row["ours"]["memorisation"]
        lines.append(f"| {reference} | {sound} | {row['ours']['total']:.2f} | {total['mean']:.2f} "
                     f"({total['least']:.2f}..{total['most']:.2f}) | " + (f"{copies['ratio']:.2f}" if copies else "-")
                     + f" | {figures(row['theirs'], 'memorisation', 'ratio')['mean']:.2f} |")
    return "\n".join(lines)


INTRODUCTION = f"""# Agreement of `brume compare` with the referee

Written by `tests/quality/agreement.py --sounds SOUNDS --measure MEASURE --report tests/bench/COMPARE.md`
(after `make`). Each reference is held against each sound of its class and some of others; "half" is half of a class's
short recordings, a lone name its long recording, "render" 15 s of the shipped model. Of the referee the
mean of {SEEDS} seeds is taken. Required: a correlation of TOTAL of 0.9 over at least 50 pairs.

"""


def main():
    """Measures, prints, writes, and fails where the correlation is below what is required."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--sounds", required=True, metavar="FOLDER", help="the recordings, by class")
    ap.add_argument("--measure", required=True, metavar="FOLDER", help="where the referee lies")
    ap.add_argument("--model", default="texture", help="the texture model that renders")
    ap.add_argument("--report", metavar="FILE", help="where the report goes")
    a = ap.parse_args()
    try:
        referee = load_referee(a.measure)
        with tempfile.TemporaryDirectory() as work:
            references, sounds = collect(a, work)
            names = list(pairs_of(references, sounds))
            found = []
            for i, (reference, sound) in enumerate(names):
                found.append(measure(referee, references[reference], sounds[sound]))
                print(f"{i + 1}/{len(names)} {reference}, {sound}", file=sys.stderr)
        report = text(found, names)
        print(report)
        if a.report:
            pathlib.Path(a.report).write_text(INTRODUCTION + report + "\n", encoding="utf-8")
    except (Fault, OSError) as fault:
        print(f"agreement: {fault}", file=sys.stderr)
        return 1
    reached = correlations(*next(agreement_rows(found))[1:])[0]
    if reached < 0.9 or len(found) < 50:
        print(f"agreement: {reached:.3f} over {len(found)} pairs: 0.9 over 50 is required", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
