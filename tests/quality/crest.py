"""How tonal a sound is: the crest of its spectrum within sixths of an octave."""
import numpy as np
import soundfile as sf
from scipy import signal

SIZE, HOP = 4096, 2048  # samples of a Hann frame: 11 Hz a bin at 44.1 kHz, so that partials stand apart
LEAST_BINS = 4          # of a band: with fewer a partial and noise have the same crest
TOP = 16000.0           # Hz


def edges(rate):
    """Bins (bands + 1,) at which the sixths of an octave begin, from the lowest that is wide enough."""
    lowest = LEAST_BINS / (2 ** (1 / 6) - 1)
    highest = min(TOP, 0.45 * rate) * SIZE / rate
    count = int(6 * np.log2(highest / lowest))
    return np.round(lowest * 2 ** (np.arange(count + 1) / 6)).astype(int)


def cells(x, rate):
    """Samples (n,) -> peak and mean bin power (frames, bands) of each sixth of an octave."""
    x = np.pad(x, (0, max(0, SIZE - len(x))))
    frames = np.lib.stride_tricks.sliding_window_view(x, SIZE)[::HOP]
    window = signal.windows.hann(SIZE, sym=False)
    at = edges(rate)
    peak, mean = [], []
    for part in np.array_split(frames, -(-len(frames) // 500)):
        power = np.abs(np.fft.rfft(part * window, axis=1)) ** 2
        peak.append(np.maximum.reduceat(power[:, :at[-1]], at[:-1], axis=1))
        mean.append(np.add.reduceat(power[:, :at[-1]], at[:-1], axis=1) / np.diff(at))
    return np.concatenate(peak), np.concatenate(mean)


def crest(paths):
    """Sound files of one class -> dB: ten times the logarithm of peak over mean bin power within a
    sixth of an octave of a frame, averaged over all these cells, each weighing as much as it has
    power, and over the files: what is heard counts, and what lies under it does not. Noise has 3 to
    5, a lone partial 13 at 3 kHz. Levels of the files don't matter."""
    values = []
    for path in paths:
        x, rate = sf.read(path, always_2d=True)
        peak, mean = cells(x.mean(axis=1), rate)
        heard = mean > 0
        values.append(np.average(10 * np.log10(peak[heard] / mean[heard]), weights=mean[heard]))
    return float(np.mean(values))
