"""Melodies carried on by brume, judged by continuation_metrics.py, which is no part of Brume."""
import json
import os
import subprocess
import sys

import soundfile as sf

from brume import brume
from fault import Fault

SEAM = {"jump_z", "hf_z"}  # flags of the join alone


def part(recording, start, end, out):
    """Writes the seconds from start to end of a sound; where it is."""
    rate = sf.info(recording).samplerate
    x, rate = sf.read(recording, start=int(start * rate), stop=int(end * rate))
    sf.write(out, x, rate, subtype="FLOAT")
    return out


def carry_on(model, prompt, seconds, seed, out, temperature=None):
    """Writes what brume makes of a prompt; where it is. A Fault when it hears no melody in it."""
    daring = [] if temperature is None else ["--temperature", str(temperature)]
    brume("continue", str(prompt), "--model", model, "--seconds", str(seconds), "--seed", str(seed), *daring,
          "-o", str(out))
    return out


def judge(referee, prompt, made, work):
    """The referee's figures of one continuation; referee is the path of its program."""
    path = os.path.join(work, "metrics.json")
    run = subprocess.run([sys.executable, referee, "--prompt", str(prompt), "--continuation", str(made), "--json", path],
                         capture_output=True, text=True)
    if run.returncode:
        raise Fault(f"{referee}: {run.stderr.strip()}")
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def flags(result):
    """Names of what a real tune would not do, the join apart."""
    return [name for name in (flag.split("=")[0] for flag in result["flags"]) if name not in SEAM]
