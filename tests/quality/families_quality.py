"""The two families' quality: against what is spent on it (steps) or dared (temperature), and over a minute.

Texture: TOTAL of texture_distance.py against held-out recordings, over what real sound of the class gets.
Melody: flags of continuation_metrics.py, those of the join apart: what a real tune would not do.
"""
import sys
import tempfile

import numpy as np

from brume import render_seeds
from continuations import carry_on, flags, judge, part
from fault import Fault
from recordings import excerpts, held_out_of, recordings
from referee import judge as judge_texture
from referee import figures

STEPS = 1, 2, 4, 8, 16, 32
TEMPERATURES = 0.0, 0.4, 0.85, 1.2, 1.6, 2.0
MINUTE, SEGMENT = 60, 10  # s
SEEDS, REFEREE_SEEDS = 6, 3
PROMPT = 10               # s


def distance(referee, made, held_out):
    """TOTAL of sounds against held-out ones, over the referee's seeds."""
    return figures(judge_texture(referee, REFEREE_SEEDS, made, held_out, no_baselines=True), "ratio", "total")["mean"]


def segments(paths, at, work):
    """The seconds from `at` on of each sound."""
    return [part(path, at, at + SEGMENT, f"{work}/segment-{at}-{i}.wav") for i, path in enumerate(paths)]


def measure_class(referee, a, card, class_name):
    """{"steps": {steps: TOTAL / real}, "minute": [TOTAL / real of each ten seconds]} of one class."""
    with tempfile.TemporaryDirectory() as work:
        held_out = held_out_of(card, class_name, a.sounds, work)
        train = recordings(card, "recordings", class_name, a.sounds, work)
        real = distance(referee, excerpts(train, SEGMENT, SEEDS, work), held_out)
        steps = {}
        for count in STEPS:
            made = render_seeds(a.texture, class_name, SEGMENT, SEEDS, work, steps=count)
            steps[count] = distance(referee, made, held_out) / real
        long = render_seeds(a.texture, class_name, MINUTE, SEEDS, work)
        minute = [distance(referee, segments(long, at, work), held_out) / real
                  for at in range(0, MINUTE, SEGMENT)]
        return {"steps": steps, "minute": minute}


def melody_flags(a, prompt, made, at, work):
    """Number of flags of ten seconds of a continuation, from `at` on, beside its prompt."""
    return len(flags(judge(a.judge_melody, prompt, part(made, at, at + SEGMENT, f"{work}/part.wav"), work)))


def measure_tune(_, a, card, recording):
    """{"temperature": {t: flags}, "minute": [flags of each ten seconds], "real": flags} of one recording;
    None, and a word, when it is refused. The seed is the same throughout."""
    with tempfile.TemporaryDirectory() as work:
        prompt = part(recording, 0, PROMPT, f"{work}/prompt.wav")
        made = f"{work}/made.wav"
        daring = {}
        try:
            for t in TEMPERATURES:
                carry_on(a.melody, prompt, SEGMENT, 0, made, temperature=t)
                daring[t] = melody_flags(a, prompt, made, 0, work)
            carry_on(a.melody, prompt, MINUTE, 0, made)
        except Fault as fault:
            print(f"compare: {recording}: {fault}", file=sys.stderr)
            return None
        return {"temperature": daring, "real": melody_flags(a, prompt, recording, PROMPT, work),
                "minute": [melody_flags(a, prompt, made, at, work) for at in range(0, MINUTE, SEGMENT)]}


def mean_over(measured, key):
    """Means over classes or tunes of a list, or of a dictionary's values, that each has under `key`."""
    first = measured[0][key]
    if isinstance(first, dict):
        return {at: float(np.mean([m[key][at] for m in measured])) for at in first}
    if isinstance(first, list):
        return [float(v) for v in np.mean([m[key] for m in measured], axis=0)]
    return float(np.mean([m[key] for m in measured]))
