"""usage: tensors.py PAGE [--check]: the tables of tensors in PAGE (docs/MODELS.md), as Brume writes them.

$BUILD/tests/format/odd_models writes models of unusual sizes, two of each kind; what a size of a tensor is made of is
the one expression that is right in both. --check: exit code 1 if PAGE says otherwise, and nothing is written."""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "quality"))
from marked import fill, found

TEXTURE = {
    "normaliser.quantiles": "each class's log energies in each band where a Gaussian has -4, -3.75 ... 4",
    "memories": "mean frames of the recordings, Gaussian values: a sound is told a mixture of them",
    "middles": "how much of a band's energy the middle of two channels holds",
    "level.0.weight": "the noise level, as sinusoids", "level.0.bias": "",
    "level.1.weight": "... and then", "level.1.bias": "",
    "class.table": "a row for each class",
    "memory.weight": "the memory", "past.weight": "what went before the window, in outline",
    "film.weight": "FiLM: scales, shifts, gates of each block, then a scale and a shift", "film.bias": "",
    "in.weight": "a convolution of 3 frames of bands and of what is known", "in.bias": "",
    "blocks.B.conv.weight": "a dilated convolution of 3 frames", "blocks.B.conv.bias": "",
    "blocks.B.out.weight": "what the block adds", "blocks.B.out.bias": "",
    "out.weight": "features to bands", "out.bias": "",
    "refiner.patch.weight": "a patch of neighbouring bands", "refiner.memory.weight": "the memory's",
    "refiner.outline.weight": "features to patches", "refiner.outline.bias": "",
    "refiner.film.weight": "FiLM, as above", "refiner.film.bias": "",
    "refiner.blocks.B.conv.weight": "a convolution of 3 frames by 3 patches", "refiner.blocks.B.conv.bias": "",
    "refiner.blocks.B.out.weight": "what the block adds", "refiner.blocks.B.out.bias": "",
    "refiner.out.weight": "a patch of bands, added to the trunk's", "refiner.out.bias": "",
}
MELODY = {
    "notes.in.pitch": "the last note's pitch", "notes.in.interval": "... its interval",
    "notes.in.step": "... its step in time", "notes.in.length": "... its length",
    "notes.in.phase.weight": "where in beats, bars and phrases the next one begins", "notes.in.phase.bias": "",
    "notes.layers.B.qkv.weight": "attention: queries, keys, values", "notes.layers.B.qkv.bias": "",
    "notes.layers.B.out.weight": "... what it adds", "notes.layers.B.out.bias": "",
    "notes.layers.B.up.weight": "the perceptron", "notes.layers.B.up.bias": "",
    "notes.layers.B.down.weight": "... what it adds", "notes.layers.B.down.bias": "",
    "notes.pitch.weight": "the next note: its pitch, or the end", "notes.pitch.bias": "",
    "notes.jump.weight": "... as an interval, added to that", "notes.jump.bias": "",
    "notes.step.in.weight": "its step, ...", "notes.step.in.bias": "",
    "notes.step.pitch": "... given its pitch", "notes.step.interval": "... and interval",
    "notes.step.weight": "", "notes.step.bias": "",
    "notes.length.in.weight": "its length, ...", "notes.length.in.bias": "",
    "notes.length.pitch": "... given its pitch", "notes.length.step": "... and step",
    "notes.length.weight": "", "notes.length.bias": "",
    "samples.told.0.weight": "what is known of the frame of 64 samples", "samples.told.0.bias": "",
    "samples.told.1.weight": "... and then", "samples.told.1.bias": "",
    "samples.gru.input": "GRU, a step in 16 samples: gates of its input", "samples.gru.recurrent": "... of its state",
    "samples.gru.bias": "", "samples.gru.recurrent_bias": "... of the candidate's part",
    "samples.state.weight": "a sample: what the GRU's state says", "samples.notice.weight": "... what the frame says",
    "samples.phase": "... which of the 16 it is", "samples.first.weight": "... the newest inputs",
    "samples.first.bias": "", "samples.second.weight": "", "samples.second.bias": "",
    "samples.out.weight": "a mixture of logistic densities", "samples.out.bias": "",
}


def texture_sizes(config):
    """Expressions and what they are."""
    bands, channels, blocks = config["bands"], config["channels"], len(config["dilations"])
    inner, stride = config["refiner_channels"], config["refiner_stride"]
    positions = -(-bands // stride) + 1
    return {
        "classes": len(config["classes"]), "bands": bands, "channels": channels, "condition": config["condition"],
        "past": config["past"], "3 (bands + 1)": 3 * (bands + 1), "3 channels": 3 * channels,
        "(3 blocks + 2) channels": (3 * blocks + 2) * channels, "rc": inner, "9 rc": 9 * inner,
        "2 stride": 2 * stride, "positions rc": positions * inner,
        "(3 rb + 2) rc": (3 * config["refiner_blocks"] + 2) * inner,
    }


def melody_sizes(config):
    notes, samples = config["notes"], config["samples"]
    width, hidden = notes["width"], samples["hidden"]
    return {
        "width": width, "3 width": 3 * width, "notes.hidden": notes["hidden"], "hidden": hidden,
        "3 hidden": 3 * hidden, "wide": samples["wide"], "narrow": samples["narrow"],
    }


def read_header(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return json.loads(header.pop("__metadata__")["config"]), header


def expression(name, values, sizes):
    """What has these values in models of those sizes: a name, or a number if it is the same in both."""
    names = [e for e in sizes[0] if [each[e] for each in sizes] == values]
    if not names and len(set(values)) == 1:
        names = [str(values[0])]
    if len(names) != 1:
        sys.exit(f"tensors.py: {name}: {values} is {' or '.join(names) or 'nothing that is known here'}")
    return names[0]


def table(files, find_sizes, meanings):
    models = [read_header(path) for path in files]
    sizes = [find_sizes(config) for config, _ in models]
    lines, told = ["| tensor | type | shape | what it is |", "|---|---|---|---|"], set()
    for name, tensor in models[0][1].items():
        shown = re.sub(r"\.\d+\.(?=(conv|out|qkv|up|down)\.)", ".B.", name)
        shapes = [header[name]["shape"] for _, header in models]
        shape = ", ".join(expression(name, list(values), sizes) for values in zip(*shapes))
        if shown not in meanings:
            sys.exit(f"tensors.py: nothing says what {shown} is")
        if shown not in told:
            lines.append(f"| `{shown}` | {tensor['dtype']} | ({shape}) | {meanings[shown]} |")
        told.add(shown)
    if told != set(meanings):
        sys.exit(f"tensors.py: no model has {', '.join(sorted(set(meanings) - told))}")
    return "\n".join(lines)


def main(page, check=False):
    program = os.path.join(os.environ.get("BUILD", "build"), "tests/format/odd_models")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, folder], check=True)
        tables = {
            kind: table([f"{folder}/{kind}{i}.safetensors" for i in range(2)], sizes, meanings)
            for kind, sizes, meanings in (("texture", texture_sizes, TEXTURE), ("melody", melody_sizes, MELODY))
        }
    stale = [kind for kind, text in tables.items() if found(page, f"tensors of {kind}") != text]
    for kind in stale if not check else []:
        fill(page, f"tensors of {kind}", tables[kind])
    if check and stale:
        sys.exit(f"{page}: the table of tensors of {' and '.join(stale)} is not what Brume writes: run `make docs`")


main(sys.argv[1], sys.argv[2:] == ["--check"])
