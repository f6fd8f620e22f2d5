#!/usr/bin/env python3
"""How well are melodies carried on?

    measure_continuation.py FOLDER --referee continuation_metrics.py [--model NAME|FILE] [--seconds 10]
                            [--most N] [--real] [--json FILE]

Of each recording in FOLDER the first ten seconds are the prompt; Brume carries it on, and the referee
compares. With --real the recording's own next seconds are judged instead: what real tunes get. FOLDER
holds tunes that the model was not trained on, as models/melody_renders.py makes them. BUILD is the
folder that holds brume (build if not set).
"""
import argparse
import collections
import json
import pathlib
import sys
import tempfile

import numpy as np

from continuations import SEAM, carry_on, judge, part
from fault import Fault

SHOWN = ["in_key", "onset_ratio", "drift_db_10s", "level_jump_db", "timbre_ratio", "clarity_drop", "ioi_emd"]


def measure(a, recording, seed, work):
    """The referee's figures of what follows the first seconds of a recording."""
    prompt = part(recording, 0, a.seconds, f"{work}/prompt.wav")
    made = f"{work}/made.wav"
    if a.real:
        part(recording, a.seconds, 2 * a.seconds, made)
    else:
        carry_on(a.model, prompt, a.seconds, seed, made)
    return judge(a.referee, prompt, made, work)


def print_results(results, refused):
    """Shares of flags, and the spread of what is shown."""
    flags = [len(result["flags"]) for result in results.values()]
    names = collections.Counter(flag.split("=")[0] for result in results.values() for flag in result["flags"])
    count = len(flags)
    print(f"{count} pairs, {len(refused)} refused: {' '.join(refused)}")
    print(f"no flag {100 * sum(f == 0 for f in flags) / count:.0f} %, at most one "
          f"{100 * sum(f <= 1 for f in flags) / count:.0f} %, at most two {100 * sum(f <= 2 for f in flags) / count:.0f} %")
    seamless = [not any(flag.split("=")[0] in SEAM for flag in result["flags"]) for result in results.values()]
    print(f"no seam flag {100 * np.mean(seamless):.0f} %; flags: "
          + ", ".join(f"{name} {number}" for name, number in names.most_common()))
    for name in SHOWN:
        values = [result[name] for result in results.values() if result[name] is not None]
        low, middle, high = np.percentile(values, [5, 50, 95])
        print(f"{name:16} median {middle:7.3f}   5..95 %: {low:.3f} .. {high:.3f}")


def main():
    """Judges every recording, then sums up."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folder", type=pathlib.Path)
    ap.add_argument("--referee", required=True, help="the path of continuation_metrics.py")
    ap.add_argument("--model", default="melody")
    ap.add_argument("--seconds", type=float, default=10)
    ap.add_argument("--most", type=int, default=1000, help="recordings")
    ap.add_argument("--real", action="store_true", help="judge the recordings' own continuations")
    ap.add_argument("--json", metavar="FILE", help="write the figures here too")
    a = ap.parse_args()
    results, refused = {}, []
    with tempfile.TemporaryDirectory() as work:
        for seed, recording in enumerate(sorted(a.folder.glob("*.wav"))[:a.most]):
            try:
                results[recording.stem] = measure(a, recording, seed, work)
            except Fault as fault:
                print(f"measure_continuation: {recording}: {fault}", file=sys.stderr)
                refused.append(recording.stem)
                continue
            print(f"{recording.stem:20} {' '.join(results[recording.stem]['flags']) or 'OK'}", flush=True)
    if not results:
        print(f"measure_continuation: {a.folder}: no recording could be judged", file=sys.stderr)
        return 1
    print_results(results, refused)
    if a.json:
        pathlib.Path(a.json).write_text(json.dumps(results), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
