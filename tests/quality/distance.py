"""How far a class lies from recordings that the model never heard, and whether it copies or repeats."""
import numpy as np
import soundfile as sf

from brume import render_seeds
from crest import crest
from recordings import duration, excerpts, held_out_of, recordings, spread_over
from referee import RATE, figures, judge


def training_grains(referee, train, seconds, count, work):
    """`count` sounds of `seconds` out of 200 ms grains of recordings learnt from, one recording each:
    what a sampler would make of the same material. The referee's own grains are of held-out sound."""
    out = []
    for i, (k, _) in enumerate(spread_over(train, count)):
        rng = np.random.default_rng(i)
        x, _ = referee.load(train[k], RATE)
        pieces = [referee.granular(x, RATE, rng) for _ in range(int(np.ceil(seconds * RATE / len(x))))]
        out.append(f"{work}/grains-{i}.wav")
        sf.write(out[-1], np.concatenate(pieces)[:int(seconds * RATE)], RATE, subtype="FLOAT")
    return out


def measure_quick(referee, a, class_name, card, work):
    """TOTAL alone."""
    held_out = held_out_of(card, class_name, a.sounds, work)
    rendered = render_seeds(a.model, class_name, a.seconds, a.seeds, work)
    results = judge(referee, a.referee_seeds, rendered, held_out, no_baselines=True)
    return {"seconds": duration(held_out), "total": figures(results, "ratio", "total")}


def measure_distance(referee, a, class_name, card, work):
    """Everything that the referee says of one class, beside what it says of training sound in its place."""
    held_out = held_out_of(card, class_name, a.sounds, work)
    train = recordings(card, "recordings", class_name, a.sounds, work)
    rendered = render_seeds(a.model, class_name, a.seconds, a.seeds, work)
    results = judge(referee, a.referee_seeds, rendered, held_out, memorisation=train,
                    heldout=held_out, diversity=True)
    pieces = excerpts(train, a.seconds, a.seeds, work)
    real = judge(referee, a.referee_seeds, pieces, held_out, no_baselines=True)
    grains = judge(referee, a.referee_seeds,
                   training_grains(referee, train, a.seconds, a.seeds, work), held_out, no_baselines=True)
    return {"seconds": duration(held_out),
            "total": figures(results, "ratio", "total"),
            "real": figures(real, "ratio", "total"),
            "noise": figures(results, "baseline_noise", "total"),
            "grains": figures(results, "baseline_grains", "total"),
            "training_grains": figures(grains, "ratio", "total"),
            "bias": figures(results, "bias", "total"),
            "bias_real": figures(real, "bias", "total"),
            "bias_floor": figures(results, "floor_bias", "total"),
            "spread": figures(results, "spread", "total"),
            "spread_real": figures(real, "spread", "total"),
            "memorisation": figures(results, "memorisation", "ratio"),
            "copied": figures(results, "memorisation", "copied"),
            "level": figures(results, "level_difference_db"),
            **{"diversity_" + key: figures(results, "diversity", key)
               for key in ("statistics", "seeds", "loops")},
            "crest": crest(rendered), "crest_real": crest(held_out), "crest_training": crest(pieces)}
