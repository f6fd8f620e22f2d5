"""The recordings of a class: which of them a model learnt from, and which were held out."""
import os
import re

import numpy as np
import soundfile as sf

from fault import Fault


def class_folder(folders, class_name):
    """Where the recordings of a class lie: the first of the folders that has a folder of its name."""
    for folder in folders:
        if os.path.isdir(os.path.join(folder, class_name)):
            return os.path.join(folder, class_name)
    raise Fault(f"{', '.join(folders)}: no folder {class_name} in it; give one that has it with --sounds")


def parts_of(folders, name):
    """The files that a recording's name in the card stands for: with a letter for each piece."""
    class_name, recording = name.split("/", 1)
    pattern = re.compile(re.escape(recording) + r"(-[A-Z])?\.[A-Za-z0-9]+$")
    there = class_folder(folders, class_name)
    files = sorted(os.path.join(there, f) for f in os.listdir(there) if pattern.match(f))
    if not files:
        raise Fault(f"{there}: holds no recording {recording}, which the model's card names")
    return files


def cut(path, start, end, out):
    """Writes the part from start to end (shares) of a sound; where it is."""
    x, rate = sf.read(path, always_2d=True)
    sf.write(out, x[int(start * len(x)):int(end * len(x))], rate, subtype="FLOAT")
    return out


def listed(card, key, class_name):
    """The card's names of one side of the split of a class, each with "its end", "but its end" or ""."""
    for name in card[key].split(", "):
        name, _, part = name.partition(" (")
        if name.startswith(class_name + "/"):
            yield name, part.rstrip(")")


def recordings(card, key, class_name, folders, work):
    """Files of one side of the split of a class, as the card lists them under `key`."""
    share = float(re.search(r"hold-out ([0-9.e-]+)", card["training"]).group(1))
    files = []
    for name, part in listed(card, key, class_name):
        for i, path in enumerate(parts_of(folders, name)):
            if part:
                start, end = (1 - share, 1) if part == "its end" else (0, 1 - share)
                out = f"{work}/{key}-{os.path.basename(path)}-{i}.wav"
                path = cut(path, start, end, out)
            files.append(path)
    return files


def held_out_of(card, class_name, folders, work):
    """The files, or parts of files, that the model did not learn this class from."""
    files = recordings(card, "recordings_held_out", class_name, folders, work)
    if not files:
        raise Fault(f"{class_name}: nothing of it was held out; train with --holdout")
    return files


def whole_recordings(card, class_name, folders):
    """Every file of a class that the card names, learnt from or held out, each once and in full."""
    names = {name for key in ("recordings", "recordings_held_out")
             for name, _ in listed(card, key, class_name)}
    return [path for name in sorted(names) for path in parts_of(folders, name)]


def duration(files):
    """Seconds of all files together."""
    return sum(sf.info(f).duration for f in files)


def spread_over(files, count):
    """`count` places spread evenly over all files: index of the file, share of it that lies before."""
    lengths = [sf.info(f).duration for f in files]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    for i in range(count):
        at = (i + 0.5) / count * starts[-1]
        k = int(np.searchsorted(starts, at, side="right")) - 1
        yield k, (at - starts[k]) / lengths[k]


def excerpts(files, seconds, count, work):
    """`count` stretches of up to `seconds` of the files, spread over all of them."""
    out = []
    for i, (k, at) in enumerate(spread_over(files, count)):
        share = min(1.0, seconds / sf.info(files[k]).duration)
        start = min(at, 1 - share)
        out.append(cut(files[k], start, start + share, f"{work}/excerpt-{i}.wav"))
    return out
