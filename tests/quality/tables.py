"""Figures of measure_texture.py as Markdown."""

UNDER = 60  # s of held-out sound, below which the figure of real sound is the one to go by


def show(figure, digits=2):
    """Mean and range in a cell."""
    return "{mean:.{d}f} ({least:.{d}f}-{most:.{d}f})".format(d=digits, **figure)


def mean(figure, digits=2):
    """The mean alone."""
    return f"{figure['mean']:.{digits}f}"


def table(title, result, cells):
    """`title`: columns with | between them. cells: figures of a class -> texts, or None for no row."""
    columns = title.count("|") + 2
    print(f"\n| class | {title} |\n" + "|---" * columns + "|")
    for name, figures in result.items():
        row = cells(figures)
        if row:
            print(f"| {name} | " + " | ".join(row) + " |")


def against_real(r):
    """TOTAL over what real sound of the class reaches: as good as real up to 1.1."""
    return r["total"]["mean"] / r["real"]["mean"]


def print_distance(result):
    """How near, how alike, and what it was measured against."""
    table("held out, s | TOTAL | real | TOTAL/real | noise | grains | training grains | "
          "bias | real | floor | bias/floor | spread | real | spread/real", result,
          lambda r: [f"{r['seconds']:.0f}", show(r["total"]), mean(r["real"]), f"{against_real(r):.2f}",
                     mean(r["noise"]), mean(r["grains"]), mean(r["training_grains"]), mean(r["bias"]),
                     mean(r["bias_real"]), mean(r["bias_floor"]),
                     f"{r['bias']['mean'] / r['bias_floor']['mean']:.2f}", mean(r["spread"]),
                     mean(r["spread_real"]), f"{r['spread']['mean'] / r['spread_real']['mean']:.2f}"])
    better = [name for name, r in result.items() if r["total"]["mean"] < r["training_grains"]["mean"]]
    short = [r for r in result.values() if r["seconds"] < UNDER]
    print(f"\nNearer to held-out sound than grains of training sound are: {len(better)} of {len(result)} "
          f"classes ({', '.join(better) or 'none'}). Under {UNDER} s held out, where TOTAL/real counts: "
          f"{len(short)} classes, {sum(against_real(r) <= 1.1 for r in short)} of them at 1.10 or less.")


def print_copying(result):
    """Memorisation, diversity and level."""
    table("memorisation | copied | diversity: statistics | seeds | loops | level, dB", result,
          lambda r: [show(r["memorisation"]), f"{100 * r['copied']['mean']:.1f} %",
                     mean(r["diversity_statistics"]), mean(r["diversity_seeds"]),
                     mean(r["diversity_loops"]), f"{r['level']['mean']:+.1f}"])


def print_course(result):
    """Seams, drift and slow structure."""
    print("\nSeams, mean z of all joins; drift of the last 10 s of 120 s from the first, in brackets "
          "what is usual\nbetween any two parts and the share of pairs that lie closer.")

    def cells(r):
        drift = r.get("drift")
        said = ["-", "-"]
        if drift:
            said = [f"{drift[k]:.2f} ({drift[k + '_usual']:.2f}, {100 * drift[k + '_rank']:.0f} %)"
                    for k in ("level", "spectrum")]
        return [f"{r['seams'][key]['mean']:+.1f}" for key in ("flux", "step", "dip")] + said

    table("flux | step | dip | drift of level, dB | of spectrum, dB", result, cells)


def print_slow(result):
    """Modulations slower than a second."""
    print("\nSlow structure: power of the level in dB between 0.1 and 1 Hz, in renders of one and two "
          "minutes and in all\nrecordings of 15 s or more, learnt from and held out side by side.")

    def cells(r):
        slow = r["slow"]
        return slow and [f"{slow['seconds']:.0f}", show(slow["made"]), show(slow["real"]),
                         f"{slow['ratio']:.2f}"]

    table("recordings, s | made, dB^2 | real, dB^2 | made/real", result, cells)


def print_tone(result):
    """The crest within sixths of an octave."""
    print("\nTone: peak over mean power in a sixth of an octave (tests/quality/crest.py), dB.")
    table("made | held out | difference | training", result,
          lambda r: [f"{r['crest']:.2f}", f"{r['crest_real']:.2f}",
                     f"{r['crest'] - r['crest_real']:+.2f}", f"{r['crest_training']:.2f}"])


def print_stereo(result):
    """Correlation of the channels, and what is left in mono."""
    print("\nStereo: correlation of the channels in octaves from 62.5 Hz up, renders at half width beside "
          "the class's own\nstereo recordings (in brackets; - too quiet to count); level of the mono mix "
          "against the channels'.")

    def cells(r):
        stereo = r["stereo"]
        if not stereo:
            return None
        pairs = [f"{made:.2f} ({real:.2f})" if heard else "-"
                 for made, real, heard in zip(stereo["made"], stereo["real"], stereo["heard"])]
        return [f"{stereo['largest']:.2f}", f"{stereo['mean']:.2f}", " ".join(pairs),
                f"{stereo['mono']:+.2f} ({stereo['mono_real']:+.2f})"]

    table("largest difference | mean | octave by octave | mono, dB", result, cells)


def print_quick(result):
    """TOTAL alone, and seams."""
    table("held out, s | TOTAL", result, lambda r: [f"{r['seconds']:.0f}", show(r["total"])])


def print_tables(figures):
    """Everything that was measured."""
    result, asked = figures["classes"], figures["asked"]
    print(f"{asked['seeds']} seeds of {asked['seconds']:g} s a class against held-out recordings; mean "
          f"(range) over {asked['referee_seeds']} seeds of the referee.")
    if asked["quick"]:
        print_quick(result)
        print_course(result)
        return
    print_distance(result)
    print_copying(result)
    print_tone(result)
    print_course(result)
    print_slow(result)
    print_stereo(result)
    print(f"\nStereo in real time takes {100 * figures['cost']:.1f} % of one core.")


def print_gallery(figures, picture):
    """The README's picture and table: one row a class."""
    print(f"![Spectrograms of recordings and of what Brume makes]({picture})\n\nAbove a recording that the "
          "model never heard, below what it makes: five seconds,\n60 Hz to 16 kHz.")

    def cells(r):
        varied = [f"{r['diversity_' + key]['mean']:.2f}" for key in ("statistics", "seeds", "loops")]
        joins = [f"{r['seams'][key]['mean']:+.1f}" for key in ("flux", "step", "dip")]
        return [mean(r["total"]), mean(r["real"]), f"{against_real(r):.2f}", mean(r["training_grains"]),
                mean(r["noise"]), f"{r['bias']['mean'] / r['bias_floor']['mean']:.2f}",
                f"{r['spread']['mean'] / r['spread_real']['mean']:.2f}", mean(r["memorisation"]),
                f"{100 * r['copied']['mean']:.0f} %", " / ".join(varied), " / ".join(joins),
                f"{r['crest'] - r['crest_real']:+.1f}"]

    table("TOTAL | real | TOTAL/real | grains | noise | bias | spread | memorisation | copied | diversity | "
          "seams | crest", figures["classes"], cells)
    print("""
*TOTAL*: distance of texture statistics from held-out recordings, 1 = as far as these are from each other;
*real*, *grains*, *noise*: the same of other recordings, of 200 ms grains of them, and of noise with the
right spectrum. *bias* over what chance gives, *spread* over that of recordings of equal length.
*memorisation*: distance from the recordings learnt from over that of held-out ones. *diversity*: of
statistics, between seeds, within one render, 1 = as recordings. *seams*: flux, step and dip at joins, z.
*crest*: how far tone stands out more than in recordings, dB. Each is defined in tests/quality; `make
gallery` makes this.""")
