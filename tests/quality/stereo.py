"""The stereo image: how alike the channels of renders and of recordings are, band by band."""
import numpy as np
import soundfile as sf
from scipy import signal

from brume import render_seeds
from recordings import whole_recordings

CENTRES = 62.5 * 2.0 ** np.arange(9)  # Hz, 62.5 .. 16000, octaves
RANGE = 30.0                          # dB under the loudest band: quieter bands don't count
RENDER = 10, 3                        # s, seeds
WIDTH = 0.5


def image(path):
    """Stereo file -> correlation of the channels in each octave (bands,), Re <L R*> / sqrt(<|L|^2>
    <|R|^2>); power (bands,), of both channels; and the level in dB of (L + R) / 2 against the mean
    power of the channels, 0 when they are equal and -3 when they have nothing in common."""
    x, rate = sf.read(path, always_2d=True)
    f, _, left = signal.stft(x[:, 0], rate, nperseg=2048)
    _, _, right = signal.stft(x[:, 1], rate, nperseg=2048)
    both = np.mean((left * right.conj()).real, axis=1)
    one, other = np.mean(np.abs(left) ** 2, axis=1), np.mean(np.abs(right) ** 2, axis=1)
    at = np.searchsorted(f, CENTRES[0] * 2 ** (np.arange(len(CENTRES) + 1) - 0.5))
    sums = [np.array([np.sum(p[i:j]) for i, j in zip(at, at[1:])]) for p in (both, one, other)]
    correlation = sums[0] / np.sqrt(sums[1] * sums[2] + 1e-30)
    mono = 10 * np.log10(np.mean(x.mean(axis=1) ** 2) / np.mean(x ** 2))
    return correlation, sums[1] + sums[2], float(mono)


def mean_image(paths):
    """The same in the mean over files, levels of which don't matter."""
    images = [image(path) for path in paths]
    return (np.mean([i[0] for i in images], axis=0), np.mean([i[1] / i[1].sum() for i in images], axis=0),
            float(np.mean([i[2] for i in images])))


def measure_stereo(a, class_name, card, work):
    """Renders at half width against the stereo recordings of the class, if it has any, else None."""
    files = [f for f in whole_recordings(card, class_name, a.sounds) if sf.info(f).channels == 2]
    if not files:
        return None
    made, _, mono = mean_image(render_seeds(a.model, class_name, *RENDER, work, channels=2, width=WIDTH))
    real, power, mono_real = mean_image(files)
    heard = power > power.max() * 10 ** (-RANGE / 10)
    off = np.abs(made - real)[heard]
    return {"made": made.tolist(), "real": real.tolist(), "heard": heard.tolist(),
            "largest": float(off.max()), "mean": float(off.mean()), "mono": mono, "mono_real": mono_real}
