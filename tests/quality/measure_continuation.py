#!/usr/bin/python3
"""How well are melodies carried on?  usage: measure_continuation.py FOLDER --referee continuation_metrics.py
[--brume build/brume] [--model NAME|FILE] [--seconds 10] [--most N] [--json FILE]

Of each recording in FOLDER the first ten seconds are the prompt; Brume carries it on, and the referee
compares.  With --real the recording's own next seconds are judged instead: what real tunes get.  FOLDER
holds tunes that the model was not trained on, as models/melody_renders.py makes them.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import soundfile

SHOWN = ["in_key", "onset_ratio", "drift_db_10s", "level_jump_db", "timbre_ratio", "clarity_drop", "ioi_emd"]
SEAM = {"jump_z", "hf_z"}


def judge(options, recording, seed, folder):
    sound, rate = soundfile.read(recording)
    length = int(options.seconds * rate)
    prompt, made = folder / "prompt.wav", folder / "made.wav"
    soundfile.write(prompt, sound[:length], rate, subtype="FLOAT")
    if options.real:
        soundfile.write(made, sound[length:2 * length], rate, subtype="FLOAT")
    else:
        subprocess.run([options.brume, "continue", prompt, "--model", options.model, "--seconds",
                        str(options.seconds), "--seed", str(seed), "--quiet", "-o", made], check=True)
    metrics = folder / "metrics.json"
    subprocess.run([sys.executable, options.referee, "--prompt", prompt, "--continuation", made, "--json", metrics],
                   check=True, stdout=subprocess.DEVNULL)
    return json.loads(metrics.read_text())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--referee", required=True)
    parser.add_argument("--brume", default="build/brume")
    parser.add_argument("--model", default="melody")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--most", type=int, default=1000)
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--json")
    options = parser.parse_args()
    results, refused = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for seed, recording in enumerate(sorted(options.folder.glob("*.wav"))[:options.most]):
            try:
                results[recording.stem] = judge(options, recording, seed, pathlib.Path(folder))
            except subprocess.CalledProcessError:
                refused.append(recording.stem)
                continue
            print(f"{recording.stem:20} {' '.join(results[recording.stem]['flags']) or 'OK'}", flush=True)
    flags = [len(result["flags"]) for result in results.values()]
    names = collections.Counter(flag.split("=")[0] for result in results.values() for flag in result["flags"])
    count = len(flags)
    print(f"{count} pairs, {len(refused)} refused: {' '.join(refused)}")
    print(f"no flag {100 * sum(f == 0 for f in flags) / count:.0f} %, at most one "
          f"{100 * sum(f <= 1 for f in flags) / count:.0f} %, at most two {100 * sum(f <= 2 for f in flags) / count:.0f} %")
    seamless = [not any(flag.split("=")[0] in SEAM for flag in result["flags"]) for result in results.values()]
    print(f"no seam flag {100 * numpy.mean(seamless):.0f} %; flags: "
          + ", ".join(f"{name} {number}" for name, number in names.most_common()))
    for name in SHOWN:
        values = [result[name] for result in results.values() if result[name] is not None]
        low, middle, high = numpy.percentile(values, [5, 50, 95])
        print(f"{name:16} median {middle:7.3f}   5..95 %: {low:.3f} .. {high:.3f}")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results))


if __name__ == "__main__":
    main()
