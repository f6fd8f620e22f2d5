#!/usr/bin/env python3
"""Shows what a texture model makes: a sheet of spectrograms, and its figures in README and card.

    gallery.py MODEL.safetensors --sounds FOLDER [--sounds FOLDER] --measure FOLDER

Renders an example of each class and draws it below a recording of the class that the model never
heard, into gallery.png beside the model; writes a table of all classes into README.md, between the
marks <!-- gallery --> and <!-- /gallery -->, and all tables of measure_texture.py and measure_morph.py
into the model's card (MODEL.md), between <!-- figures --> and <!-- /figures -->. Measuring takes long:
it is done when MODEL.figures.json and MODEL.morphs.json were measured of another model, and not else.
BUILD is the folder that holds brume (build if not set).
"""
import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile

import measure_morph
import tables
from brume import brume, fingerprint, render
from fault import Fault
from marked import fill
from recordings import excerpts, held_out_of
from sheet import write_sheet

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 5  # of each example


def check(a):
    """Every file and folder that is needed is there."""
    needed = [(a.model, "train it with brume train texture"),
              (os.path.join(a.measure, "texture_distance.py"), "set MEASURE to the referee's folder")]
    needed += [(folder, "set SOUNDS and TONES to the folders of recordings by class") for folder in a.sounds]
    for path, mend in needed:
        if not os.path.exists(path):
            raise Fault(f"{path}: not there; {mend}")


def figures_of(a, card, script, path):
    """What a measuring script says of the model, measured unless `path` holds that already."""
    known = None
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            known = json.load(file)
    if not known or known["model"] != fingerprint(card):
        sounds = [word for folder in a.sounds for word in ("--sounds", folder)]
        run = subprocess.run([sys.executable, os.path.join(HERE, script), a.model, *sounds, "--measure",
                              a.measure, "--json", path], stdout=subprocess.DEVNULL)
        if run.returncode:
            raise Fault(f"{script} failed")
        with open(path, encoding="utf-8") as file:
            known = json.load(file)
    return known


def write_pictures(a, classes, card, out):
    """The sheet: 5 s of a held-out recording and of seed 0 of each class."""
    with tempfile.TemporaryDirectory() as work:
        pairs = {}
        for name in classes:
            place = os.path.join(work, name)
            os.mkdir(place)
            real = excerpts(held_out_of(card, name, a.sounds, place), SECONDS, 1, place)[0]
            made = os.path.join(place, "made.wav")
            render(a.model, name, SECONDS, 0, made)
            pairs[name] = real, made
        write_sheet(pairs, SECONDS, out)


def text_of(printer, *words):
    """What a function prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        printer(*words)
    return out.getvalue()


def main():
    """Measures where needed, draws, and fills in the documents."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("model", help="the file of a texture model, its card beside it")
    ap.add_argument("--sounds", required=True, action="append", metavar="FOLDER",
                    help="the recordings, by class; again for another folder")
    ap.add_argument("--measure", required=True, metavar="FOLDER", help="where texture_distance.py lies")
    ap.add_argument("--readme", default="README.md", metavar="FILE",
                    help="the document to fill in (README.md)")
    a = ap.parse_args()
    beside = os.path.splitext(a.model)[0]
    picture = os.path.join(os.path.dirname(a.model), "gallery.png")
    try:
        check(a)
        card = brume("info", a.model)
        write_pictures(a, json.loads(card["config"])["classes"], card, picture)
        figures = figures_of(a, card, "measure_texture.py", beside + ".figures.json")
        morphs = figures_of(a, card, "measure_morph.py", beside + ".morphs.json")
        fill(a.readme, "gallery", text_of(tables.print_gallery, figures, os.path.relpath(picture)))
        fill(beside + ".md", "figures",
             text_of(tables.print_tables, figures) + "\n" + text_of(measure_morph.print_table, morphs))
    except (Fault, OSError) as fault:
        print(f"gallery: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
