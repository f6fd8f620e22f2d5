"""The contact sheet: spectrograms of every class, a recording above and a render below."""
import matplotlib
import numpy as np
import soundfile as sf
from PIL import Image
from scipy import signal

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (only after a backend without a screen is chosen)

COLUMNS = 5
SIZE = 2048               # samples of a Hann frame
LOWEST, HIGHEST = 60.0, 16000.0  # Hz
ROWS = 120                # of a spectrogram, spaced logarithmically
SPAN = 70                 # dB of colours
WIDTH, PAIR = 1300, 250   # pixels of the sheet, and down to the next row of pairs
COLOURS = 128             # of the picture, so that noise takes few bytes


def spectrogram(path, seconds):
    """Sound file -> (ROWS, frames) in dB under its loudest cell, the lowest frequency first."""
    x, rate = sf.read(path, frames=int(seconds * sf.info(path).samplerate), always_2d=True)
    hop = int(seconds * rate / (2 * WIDTH / COLUMNS))
    f, _, z = signal.stft(x.mean(axis=1), rate, nperseg=SIZE, noverlap=SIZE - hop, padded=False)
    power = np.abs(z) ** 2
    # Each row is the mean of its bins, so that a high row of many bins is no rougher to the eye.
    edges = np.geomspace(LOWEST, HIGHEST, ROWS + 1)
    total = np.concatenate([np.zeros((1, power.shape[1])), np.cumsum(power, axis=0)])
    at = np.interp(edges, f, np.arange(len(f)))
    below = np.array([np.interp(at, np.arange(len(total)), column) for column in total.T]).T
    level = 10 * np.log10(np.diff(below, axis=0) / np.diff(at)[:, None] + 1e-20)
    return np.maximum(level - level.max(), -SPAN)


def draw(axes, path, seconds, title, side):
    """One spectrogram."""
    level = spectrogram(path, seconds)
    end = min(seconds, sf.info(path).duration)
    axes.imshow(level, origin="lower", aspect="auto", cmap="magma", vmin=-SPAN, vmax=0,
                extent=(0, end, 0, ROWS), interpolation="antialiased")
    axes.set_xlim(0, seconds)
    axes.set_xticks([])
    axes.set_yticks([])
    if title:
        axes.set_title(title, fontsize=13, pad=4)
    if side:
        axes.set_ylabel(side, fontsize=11)


def write_sheet(pairs, seconds, out):
    """pairs {class: (recording, render)} -> a PNG in which both of a class stand one under the other."""
    rows = -(-len(pairs) // COLUMNS)
    dpi = 100
    figure = pyplot.figure(figsize=(WIDTH / dpi, rows * PAIR / dpi), dpi=dpi)
    places = figure.add_gridspec(rows, COLUMNS, left=0.025, right=0.995, top=1 - 0.09 / rows,
                                 bottom=0.02 / rows, wspace=0.04, hspace=0.14)
    for i, (name, (real, made)) in enumerate(pairs.items()):
        pair = places[i // COLUMNS, i % COLUMNS].subgridspec(2, 1, hspace=0.04)
        first = i % COLUMNS == 0
        draw(figure.add_subplot(pair[0]), real, seconds, name, "real" if first else "")
        draw(figure.add_subplot(pair[1]), made, seconds, "", "Brume" if first else "")
    figure.canvas.draw()
    picture = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")
    pyplot.close(figure)
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(out, optimize=True)
