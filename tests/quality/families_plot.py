"""Two small plots of the families: quality against what is spent or dared, and over a minute."""
import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (only after a backend without a screen is chosen)

TEXTURE, MELODY = "#2a6f97", "#bc4b51"


def _label(axes, values, colour, text):
    axes.set_ylabel(text, color=colour, fontsize=9)
    axes.tick_params(axis="y", colors=colour, labelsize=8)
    axes.set_ylim(0, 1.15 * max(values))


def _pair(place, title):
    """Two axes over one another: texture's on the left, melody's on the right."""
    left = place
    left.set_title(title, fontsize=10)
    return left, left.twinx()


def write_plot(texture, melody, out):
    """texture {"steps": {n: TOTAL/real}, "minute": [...]}, melody {"temperature": {t: flags}, "minute": [...],
    "real": flags} -> a PNG."""
    figure, (one, two) = pyplot.subplots(1, 2, figsize=(9.6, 3.0), dpi=100)
    left, right = _pair(one, "quality against steps, and against temperature")
    left.plot(list(texture["steps"]), list(texture["steps"].values()), "o-", color=TEXTURE)
    left.set_xscale("log", base=2)
    left.set_xticks(list(texture["steps"]), [str(n) for n in texture["steps"]])
    left.set_xlabel("denoising steps", color=TEXTURE, fontsize=9)
    upper = right.twiny()
    upper.plot(list(melody["temperature"]), list(melody["temperature"].values()), "s--", color=MELODY)
    upper.tick_params(axis="x", colors=MELODY, labelsize=8)
    upper.set_xlabel("temperature of the notes", color=MELODY, fontsize=9)
    one.set_title("")
    _label(left, texture["steps"].values(), TEXTURE, "TOTAL / real")
    _label(right, melody["temperature"].values(), MELODY, "flags of 18")

    left, right = _pair(two, "over a minute")
    at = [10 * i + 5 for i in range(len(texture["minute"]))]
    left.plot(at, texture["minute"], "o-", color=TEXTURE, label="texture")
    right.plot(at, melody["minute"], "s--", color=MELODY, label="melody")
    right.axhline(melody["real"], color=MELODY, linewidth=0.8, linestyle=":")
    left.set_xlabel("seconds since the start", fontsize=9)
    _label(left, texture["minute"], TEXTURE, "TOTAL / real")
    _label(right, [*melody["minute"], melody["real"]], MELODY, "flags of 18 (dotted: real tunes)")
    figure.tight_layout()
    figure.savefig(out)
    pyplot.close(figure)
