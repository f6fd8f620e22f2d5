"""The referee of textures, texture_distance.py, which is no part of Brume: loaded and asked."""
import argparse
import importlib.util
import os

import numpy as np

from fault import Fault

RATE = 32000  # Hz, of the referee's analysis


def load_referee(folder):
    """The referee as a module, made to remember what does not depend on its seed."""
    path = os.path.join(folder, "texture_distance.py")
    if not os.path.isfile(path):
        raise Fault(f"{path}: not there; --measure is the folder that holds texture_distance.py")
    spec = importlib.util.spec_from_file_location("texture_distance", path)
    referee = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(referee)
    remember(referee, "load", lambda path, rate: (path, os.stat(path).st_mtime_ns, rate))
    remember(referee, "envelopes", lambda x, rate, seed=0: (x.tobytes(), rate, seed))
    remember(referee, "logmel", lambda x, rate, win=0.064, floor=50: (x.tobytes(), rate, win, floor))
    return referee


def remember(module, name, key):
    """Replaces a pure function of the module by one that computes each result once."""
    function, known = getattr(module, name), {}

    def cached(*words, **named):
        at = hash(key(*words, **named))
        if at not in known:
            if len(known) > 400:
                known.clear()
            known[at] = function(*words, **named)
        return known[at]

    setattr(module, name, cached)


def judge(referee, seeds, generated, reference, **options):
    """The referee's results, one for each of its seeds."""
    arguments = {"window": 0, "count": 32, "rate": RATE, "max_seconds": 150, "memorisation": None,
                 "heldout": None, "diversity": False, "seams": None, "no_baselines": False, **options}
    space = argparse.Namespace(generated=generated, reference=reference, **arguments)
    try:
        return [referee.run(space, np.random.default_rng(seed)) for seed in range(seeds)]
    except referee.InputError as error:
        raise Fault(str(error)) from None


def span(values):
    """Mean and range of numbers."""
    return {"mean": float(np.mean(values)), "least": float(min(values)), "most": float(max(values))}


def figures(results, *path):
    """The numbers at a path of keys through the results, as mean and range."""
    values = []
    for result in results:
        for key in path:
            result = result[key]
        values.append(result)
    return span(values)
