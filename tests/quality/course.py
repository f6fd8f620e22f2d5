"""A class in the course of time: joins that show, drift, and structure slower than a second."""
import numpy as np
import soundfile as sf
from scipy import signal

from brume import render
from recordings import duration, whole_recordings
from referee import RATE, span

LONG, SEAMS = 120, 60  # s, of a render, and of that in which joins are looked at
SLOW = 0.1, 1.0     # Hz
SLOW_SEGMENT = 15   # s, of the spectrum of levels
SLOW_LEAST = 15     # s: shorter recordings say nothing about modulations this slow
LEVEL_RATE = 20     # Hz
LEVEL_RANGE = 50    # dB under the mean level, where levels end: silence is not infinitely far down


def seams(referee, x, said, seeds):
    """z scores of the joins in a render x (n,) that brume said this of, over the referee's seeds."""
    joins = np.arange(said["first_join"], len(x) / RATE, said["join_interval"])
    z = [referee.seams(x, RATE, joins, np.random.default_rng(seed)) for seed in range(seeds)]
    return {key: span([s[key + "_mean"] for s in z]) for key in ("flux", "step", "dip")}


def drift(referee, x):
    """Level and spectrum of x (n,): its last 10 s against the first, and any 10 s against any others."""
    part = 10 * RATE

    def describe(start):
        mel = referee.logmel(x[start:start + part], RATE)
        return 10 * np.log10(np.mean(x[start:start + part] ** 2)), mel.mean(axis=0)

    def compare(one, other):
        return abs(one[0] - other[0]), np.sqrt(np.mean((one[1] - other[1]) ** 2))

    parts = [describe(start) for start in range(0, len(x) - part + 1, part // 2)]
    pairs = [compare(parts[i], parts[j]) for i in range(len(parts)) for j in range(i + 2, len(parts))]
    level, spectrum = compare(parts[0], parts[-1])
    return {"level": float(level), "level_usual": float(np.mean([p[0] for p in pairs])),
            "level_rank": float(np.mean([p[0] < level for p in pairs])),
            "spectrum": float(spectrum), "spectrum_usual": float(np.mean([p[1] for p in pairs])),
            "spectrum_rank": float(np.mean([p[1] < spectrum for p in pairs]))}


def slow_power(path):
    """A sound of SLOW_LEAST seconds or more -> dB^2: power of its level in dB, 50 ms at a time, between
    0.1 and 1 Hz. The mono mix above 100 Hz counts, so that rumble does not stand for loudness."""
    x, rate = sf.read(path, always_2d=True)
    x = signal.sosfilt(signal.butter(2, 100, "highpass", fs=rate, output="sos"), x.mean(axis=1))
    step = rate // LEVEL_RATE
    power = (x[:len(x) // step * step] ** 2).reshape(-1, step).mean(axis=1)
    level = 10 * np.log10(np.maximum(power, power.mean() * 10 ** (-LEVEL_RANGE / 10)))
    f, density = signal.welch(level, LEVEL_RATE, nperseg=SLOW_SEGMENT * LEVEL_RATE)
    inside = (f >= SLOW[0]) & (f <= SLOW[1])
    return float(density[inside].sum() * f[1])


def slow(files, renders):
    """Slow power of long renders, and of those recordings that are long enough, learnt from and held
    out side by side: held-out ends alone are too short. Without such a recording, None."""
    files = [f for f in files if sf.info(f).duration >= SLOW_LEAST]
    if not files:
        return None
    real, made = ([slow_power(f) for f in side] for side in (files, renders))
    return {"made": span(made), "real": span(real), "seconds": duration(files),
            "ratio": float(np.mean(made) / np.mean(real))}


def measure_course(referee, a, class_name, card, work):
    """Seams; and unless asked to be quick, drift and slow structure of the same render and two more."""
    path = f"{work}/{class_name}-long.wav"
    said = render(a.model, class_name, 40 if a.quick else LONG, 0, path)
    x, _ = referee.load(path, RATE)
    found = {"seams": seams(referee, x[:SEAMS * RATE], said, a.referee_seeds)}
    if not a.quick:
        others = [f"{work}/{class_name}-long-{seed}.wav" for seed in (1, 2)]
        for seed, other in enumerate(others, 1):
            render(a.model, class_name, LONG // 2, seed, other)
        found["drift"] = drift(referee, x)
        found["slow"] = slow(whole_recordings(card, class_name, a.sounds), [path, *others])
    return found
