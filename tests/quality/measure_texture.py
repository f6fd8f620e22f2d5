#!/usr/bin/env python3
"""How good a texture model is, by a referee that is no part of Brume.

    measure_texture.py MODEL --sounds FOLDER [--sounds FOLDER] --measure FOLDER [--class NAME ...]

Renders several seeds of each class in mono and compares them, with texture_distance.py in the
--measure folder, with the recordings that the model's card says were held out; --sounds, once or
more, are the folders that have a folder of recordings for each class. The referee splits the
recordings into random halves, so it is asked several times with other seeds. Prints Markdown tables;
--json FILE writes the figures too. Each kind of figure is defined where it is measured:

    distance.py   TOTAL, bias, spread, memorisation, diversity, beside real sound and grains
    crest.py      tone
    course.py     seams, drift, structure slower than a second
    stereo.py     correlation of the channels, and what is left in mono
    cost.py       share of a core

"real" is training sound in the place of rendered sound: what other recordings of the class reach.
BUILD is the folder that holds brume (build if not set).
"""
import argparse
import json
import sys
import tempfile

from brume import brume, fingerprint, write_figures
from cost import measure_cost
from course import measure_course
from distance import measure_distance, measure_quick
from fault import Fault
from side_by_side import measure_each
from stereo import measure_stereo
from tables import print_tables


def measure_class(referee, a, card, class_name):
    """All figures of one class."""
    with tempfile.TemporaryDirectory() as work:
        measure = measure_quick if a.quick else measure_distance
        r = measure(referee, a, class_name, card, work)
        r |= measure_course(referee, a, class_name, card, work)
        if not a.quick:
            r["stereo"] = measure_stereo(a, class_name, card, work)
        return r


def main():
    """Measures the classes, then what all have in common."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("model", help="a texture model, by path or name")
    ap.add_argument("--sounds", required=True, action="append", metavar="FOLDER",
                    help="the recordings, by class; again for another folder")
    ap.add_argument("--measure", required=True, metavar="FOLDER", help="where texture_distance.py lies")
    ap.add_argument("--class", dest="classes", nargs="+", metavar="NAME", help="only these")
    ap.add_argument("--seeds", type=int, default=6, help="renders of each class (6)")
    ap.add_argument("--seconds", type=float, default=10, help="of each render (10)")
    ap.add_argument("--referee-seeds", type=int, default=3, help="how often the referee is asked (3)")
    ap.add_argument("--jobs", type=int, default=1, help="classes measured at a time (1)")
    ap.add_argument("--quick", action="store_true", help="TOTAL, and seams in 40 s, only")
    ap.add_argument("--json", metavar="FILE", help="write the figures here too")
    a = ap.parse_args()
    try:
        card = brume("info", a.model)
        asked = {"seeds": a.seeds, "seconds": a.seconds, "referee_seeds": a.referee_seeds, "quick": a.quick}
        figures = {"model": fingerprint(card), "asked": asked, "classes": {}}
        names = a.classes or json.loads(card["config"])["classes"]
        for class_name, measured in measure_each(measure_class, a, card, names):
            print(f"measured {class_name}", file=sys.stderr)
            figures["classes"][class_name] = measured
        if not a.quick:
            figures["cost"] = measure_cost(a.model)
    except (Fault, OSError) as fault:
        print(f"measure_texture: {fault}", file=sys.stderr)
        return 1
    print_tables(figures)
    if a.json:
        write_figures(a.json, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
