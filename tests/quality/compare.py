#!/usr/bin/env python3
"""The two families of model side by side: diffusion (texture) and autoregression (melody), measured.

    compare.py --sounds FOLDER --measure FOLDER [--tunes FOLDER] [--readme FILE --picture FILE.png]

--sounds has a folder of recordings for each class, --tunes recordings of melodies that the melody model
never heard (models/melody_renders.py --split heldout makes them), --measure the referees
texture_distance.py and continuation_metrics.py. Prints a table; with --readme writes it between the
marks <!-- families --> and <!-- /families --> too, below a picture of two plots. BUILD is the folder
that holds brume and tests/bench/bench (build if not set).

Times are processor time of whole commands. Quality is that of families_quality.py: no figure of one
family can be held against one of the other, only against the same family's at other settings.
"""
import argparse
import os
import pathlib
import sys
import tempfile

from brume import brume
from continuations import part
from families_plot import write_plot
from families_quality import measure_class, measure_tune, mean_over
from families_time import SECONDS, measure_threads, measure_time
from fault import Fault
from marked import fill
from side_by_side import measure_each

CLASSES = "rain fire waves birds".split()
TUNES = 12


def times(took):
    """Cells: until the first sample, and until 1, 10 and 60 s are there."""
    first, *rest = (took[s] for s in SECONDS)
    return [f"{first:.2f} s"] + [" / ".join(f"{t:.2f}" for t in rest) + " s"]


def series(values, digits):
    """Figures in a row, with what they are of when it is a dictionary."""
    if isinstance(values, dict):
        return ", ".join(f"{at:g}: {v:.{digits}f}" for at, v in values.items())
    return " ".join(f"{v:.{digits}f}" for v in values)


def rows(cards, took, threads, texture, melody):
    """(what, texture's cell, melody's cell) of the table."""
    t, m = cards["texture"], cards["melody"]
    first, later = zip(times(took["texture"]), times(took["melody"]))
    return [
        ("way of generating", "all values of a chunk of 3 s at once, out of noise, in 8 steps of denoising",
         "sample by sample, each from all before it"),
        ("likelihood", f"none exact; held-out loss of denoising {t['held_out_loss'].split()[0]}",
         f"exact: {m['bits_per_sample']} (bits a sample), {m['bits_per_note']} (bits a note)"),
        ("parallelism: one sound on two threads", f"x {threads['texture']['one']:.2f}: a channel each",
         f"x {threads['melody']['one']:.2f}: half of each layer each, meeting after it"),
        ("two sounds on two threads", f"x {threads['texture']['two']:.2f}", f"x {threads['melody']['two']:.2f}"),
        ("cost in training", t["training"] + (f"; from {t['from']}" if "from" in t else ""),
         m.get("training", "see its card: half an hour of one core")),
        ("cost in inference: first sample after", *first),
        ("1 / 10 / 60 s there after", *later),
        ("a second more of mono sound costs", *(f"{1e3 * (took[f][60] - took[f][10]) / 50:.0f} ms" for f in
                                               ("texture", "melody"))),
        ("quality", f"TOTAL / real {texture['minute'][0]:.2f} ({', '.join(CLASSES)})",
         f"{melody['minute'][0]:.2f} flags of 18; real tunes {melody['real']:.2f}"),
        ("over 60 s, ten at a time", series(texture["minute"], 2), series(melody["minute"], 2)),
        ("quality against steps; temperature", series(texture["steps"], 2), series(melody["temperature"], 2)),
        ("flexibility", "mixes classes, goes from one to another, starts from any sound, fills in what is between; "
         "a knob is heard once the next chunk is there", "goes forward only, in the key and timbre that it heard; "
         "can stop or turn at any sample"),
    ]


def text(table):
    """The table in Markdown."""
    lines = ["| | texture: diffusion | melody: autoregression |", "|---|---|---|"]
    return "\n".join(lines + [f"| {what} | {one} | {other} |" for what, one, other in table])


def measure(a):
    """All that the table and the plots show."""
    cards = {"texture": brume("info", a.texture), "melody": brume("info", a.melody)}
    tunes = sorted(pathlib.Path(a.tunes).glob("*.wav")) if a.tunes else []
    tunes = tunes[::max(1, len(tunes) // TUNES)][:TUNES]
    if not tunes:
        raise Fault(f"--tunes: no .wav in \"{a.tunes}\"; models/melody_renders.py --split heldout makes some")
    with tempfile.TemporaryDirectory() as work:
        took = measure_time(a.texture, a.melody, part(tunes[0], 0, 10, f"{work}/prompt.wav"), work)
    threads = measure_threads()
    texture = [found for _, found in measure_each(measure_class, a, cards["texture"], CLASSES)]
    melody = [found for _, found in measure_each(measure_tune, a, cards["melody"], tunes) if found]
    if not melody:
        raise Fault(f"{a.tunes}: brume hears no melody in any of them")
    texture = {key: mean_over(texture, key) for key in ("steps", "minute")}
    melody = {key: mean_over(melody, key) for key in ("temperature", "minute", "real")}
    return rows(cards, took, threads, texture, melody), texture, melody


def main():
    """Measures, prints, and fills in the document."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--sounds", required=True, action="append", metavar="FOLDER",
                    help="the recordings, by class; again for another folder")
    ap.add_argument("--tunes", required=True, metavar="FOLDER", help="recordings of melodies")
    ap.add_argument("--measure", required=True, metavar="FOLDER", help="where the referees lie")
    ap.add_argument("--texture", default="texture", metavar="MODEL")
    ap.add_argument("--melody", default="melody", metavar="MODEL")
    ap.add_argument("--jobs", type=int, default=1, help="classes or tunes measured at a time (1)")
    ap.add_argument("--readme", metavar="FILE", help="the document to fill in")
    ap.add_argument("--picture", metavar="FILE", help="where the plots go")
    a = ap.parse_args()
    a.judge_melody = os.path.join(a.measure, "continuation_metrics.py")
    try:
        table, texture, melody = measure(a)
        print(text(table))
        if a.picture:
            write_plot(texture, melody, a.picture)
        if a.readme:
            fill(a.readme, "families", (f"![Quality of both]({os.path.relpath(a.picture)})\n\n" if a.picture else "")
                 + text(table))
    except (Fault, OSError) as fault:
        print(f"compare: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
