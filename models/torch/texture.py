"""The texture network in PyTorch, with the tensors of a model's file under their own names.

usage: texture.py --check MODEL [PROGRAM]: its output beside that of Brume itself, on random input; exit code 1 if
they differ by more than 1e-4 of it. PROGRAM: build/tests/bench/bench, which `make build/tests/bench/bench` makes.

As a module: model = load("mine.safetensors"); save(model, "other.safetensors", {"title": "..."}). docs/MODELS.md
says what the network is and what it is told."""
import json
import struct
import subprocess
import sys
import tempfile

import numpy
import torch
from torch import nn
from torch.nn import functional

SINUSOIDS, LEVEL_SCALE, LEVEL_LONGEST = 32, 4.0, 100.0
KINDS = {"F16": numpy.dtype("<f2"), "F32": numpy.dtype("<f4")}


def read_file(path):
    """(metadata, tensors) of a safetensors file: strings, and arrays by name."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(length)), file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, tensor in header.items():
        start, end = tensor["data_offsets"]
        tensors[name] = numpy.frombuffer(data[start:end], KINDS[tensor["dtype"]]).reshape(tensor["shape"])
    return metadata, tensors


def write_file(path, metadata, tensors):
    """Writes one: metadata strings by key, tensors as f16 or f32 arrays by name."""
    header, offset = {"__metadata__": metadata}, 0
    for name, array in tensors.items():
        kind = {2: "F16", 4: "F32"}[array.dtype.itemsize]
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in tensors.values():
            file.write(numpy.ascontiguousarray(array).tobytes())


def band_weights(config):
    """(bands, bins): what a band takes of each bin's power, so that white noise of variance 1 has energy 1."""
    size, linear, upper = config["frame"], config["linear"], config["upper"]
    centres = list(range(linear))
    ratio = config["top"] * size / config["rate"] / (linear - 1)
    for b in range(upper):
        centres.append(max((linear - 1) * ratio ** ((b + 1) / upper), centres[-1] + 1))
    bins, weights = numpy.arange(size // 2 + 1), []
    for below, centre, above in zip([-1, *centres], centres, [*centres[1:], numpy.inf]):
        falls = numpy.ones(len(bins)) if above == numpy.inf else (above - bins) / (above - centre)
        triangle = numpy.minimum((bins - below) / (centre - below), falls).clip(0, 1)
        weights.append(triangle / (triangle.sum() * 0.375 * size))
    return numpy.array(weights)


def frames_of(model, sound, class_index):
    """What the network sees of a sound of that class: (frames, bands) Gaussian values; sound (samples,) at the model's
    rate."""
    size, hop = model.config["frame"], model.config["frame"] // 4
    window = 0.5 - 0.5 * numpy.cos(2 * numpy.pi * numpy.arange(size) / size)
    pieces = numpy.lib.stride_tricks.sliding_window_view(sound, size)[::hop]
    power = numpy.abs(numpy.fft.rfft(pieces * window)) ** 2
    values = numpy.log(power @ band_weights(model.config).T + 1e-10)
    knots = model.others["normaliser.quantiles"][class_index]
    places = numpy.linspace(-4, 4, knots.shape[-1])
    for b in range(values.shape[1]):
        values[:, b] = numpy.interp(values[:, b], knots[b], places)
    return torch.from_numpy(values.astype("float32"))


class Linear(nn.Linear):
    """Starts as models/parameters.h says: Gaussian with variance 1 / inputs, or zero; biases zero."""

    def __init__(self, inputs, outputs, bias=True, zero=False):
        super().__init__(inputs, outputs, bias)
        nn.init.normal_(self.weight, std=0.0 if zero else inputs**-0.5)
        if bias:
            nn.init.zeros_(self.bias)


class Film(Linear):
    """Scales, shifts and gates for `blocks` blocks, and a scale and a shift for what comes after; 1 is added to
    scales and gates."""

    def __init__(self, condition, channels, blocks):
        super().__init__(condition, (3 * blocks + 2) * channels, zero=True)
        ones = torch.zeros(3 * blocks + 2, channels)
        ones[0::3] = 1  # scales; the last one, of what comes after, too
        ones[2 : 3 * blocks : 3] = 1
        self.register_buffer("ones", ones.flatten(), persistent=False)
        self.parts = 3 * blocks + 2

    def forward(self, told):
        return functional.linear(told, self.weight, self.bias + self.ones).chunk(self.parts, -1)


class Convolution(Linear):
    """A dilated convolution of 3 frames (by 3 neighbours) as a product: the weight's columns are the channels of the
    frame before, of this one, of the one after; by 3, of its left neighbour, itself, its right one. Outside there are
    zeros. x (windows, frames[, positions], channels)."""

    def __init__(self, inputs, outputs, dilation, across=False):
        super().__init__((9 if across else 3) * inputs, outputs)
        self.dilation, self.across = dilation, across

    def forward(self, x):
        d, frames = self.dilation, x.shape[1]
        x = functional.pad(x, (0, 0) + ((1, 1) if self.across else ()) + (d, d))
        taps = [x[:, tap * d : tap * d + frames] for tap in range(3)]
        if self.across:
            positions = x.shape[2] - 2
            taps = [tap[:, :, p : p + positions] for tap in taps for p in range(3)]
        return super().forward(torch.cat(taps, -1))


class Block(nn.Module):
    def __init__(self, channels, dilation, across=False):
        super().__init__()
        self.conv = Convolution(channels, channels, dilation, across)
        self.out = Linear(channels, channels, zero=True)

    def forward(self, trunk, scale, shift, gate):
        y = norm(trunk) * scale + shift
        return trunk + self.out(functional.silu(self.conv(y))) * gate


def norm(x):
    return functional.layer_norm(x, x.shape[-1:], eps=1e-5)


class Refiner(nn.Module):
    """What the trunk has only outlined, drawn patch by patch, with the same weights at all pitches."""

    def __init__(self, config):
        super().__init__()
        self.bands, self.stride, channels = config["bands"], config["refiner_stride"], config["refiner_channels"]
        self.positions = -(-self.bands // self.stride) + 1
        self.patch = Linear(2 * self.stride, channels, bias=False)
        self.memory = Linear(2 * self.stride, channels, bias=False)
        self.outline = Linear(config["channels"], self.positions * channels)
        self.film = Film(config["condition"], channels, config["refiner_blocks"])
        self.blocks = nn.ModuleList(Block(channels, 1 << b % 4, True) for b in range(config["refiner_blocks"]))
        self.out = Linear(channels, 2 * self.stride, zero=True)

    def cut(self, x):
        """Patches (windows, frames, positions, 2 stride) of x (windows, frames, bands), each half over the next."""
        x = functional.pad(x, (self.stride, self.positions * self.stride - self.bands))
        cells = x.unflatten(2, (self.positions + 1, self.stride))
        return torch.cat((cells[:, :, :-1], cells[:, :, 1:]), -1)

    def paste(self, patches):
        """The other way: what overlaps is added."""
        first, second = patches.chunk(2, -1)
        cells = functional.pad(first, (0, 0, 0, 1)) + functional.pad(second, (0, 0, 1, 0))
        return cells.flatten(2)[:, :, self.stride : self.stride + self.bands]

    def forward(self, x, memory, features, told):
        film = [part[:, None, None] for part in self.film(told)]
        trunk = self.outline(features).unflatten(2, (self.positions, -1)) + self.patch(self.cut(x))
        trunk = trunk + self.memory(self.cut(memory[:, None]))
        for b, block in enumerate(self.blocks):
            trunk = block(trunk, *film[3 * b : 3 * b + 3])
        return self.paste(self.out(functional.silu(norm(trunk) * film[-2] + film[-1])))


class Texture(nn.Module):
    """state_dict() has the file's names and shapes. `config` is what the file says under that key; `metadata` and
    `others` are its card, and the tensors that are no part of the network."""

    def __init__(self, config):
        super().__init__()
        bands, channels, condition = config["bands"], config["channels"], config["condition"]
        self.config, self.metadata, self.others, self.kinds = config, {}, {}, {}
        frequencies = LEVEL_SCALE * LEVEL_LONGEST ** (-torch.arange(SINUSOIDS, dtype=torch.float64) / SINUSOIDS)
        self.register_buffer("frequencies", frequencies.float(), persistent=False)
        self.level = nn.ModuleList((Linear(2 * SINUSOIDS, condition), Linear(condition, condition)))
        self.add_module("class", nn.Module())
        classes = len(config["classes"])
        self._modules["class"].table = nn.Parameter(torch.randn(classes, condition) * condition**-0.5)
        self.memory, self.past = Linear(bands, condition, False), Linear(config["past"], condition, False)
        self.film = Film(condition, channels, len(config["dilations"]))
        self.add_module("in", Convolution(bands + 1, channels, 1))
        self.blocks = nn.ModuleList(Block(channels, dilation) for dilation in config["dilations"])
        self.out = Linear(channels, bands, zero=True)
        self.refiner = Refiner(config)

    def forward(self, x, known, half_log_snr, mix, memory, past):
        """x (windows, frames, bands), known (windows, frames, 1), half_log_snr (windows, 1), mix (windows, classes),
        memory (windows, bands), past (windows, past) -> (windows, frames, bands): epsilon or v, as the model's
        "prediction" says."""
        angle = half_log_snr * self.frequencies
        level = functional.silu(self.level[0](torch.cat((angle.cos(), angle.sin()), 1)))
        told = self.level[1](level) + mix @ self._modules["class"].table + self.memory(memory) + self.past(past)
        told = functional.silu(told)
        film = [part[:, None] for part in self.film(told)]
        trunk = self._modules["in"](torch.cat((x, known), -1))
        for b, block in enumerate(self.blocks):
            trunk = block(trunk, *film[3 * b : 3 * b + 3])
        features = functional.silu(norm(trunk) * film[-2] + film[-1])
        return self.out(features) + self.refiner(x, memory, features, told)


def load(path):
    metadata, tensors = read_file(path)
    if metadata.get("kind") != "brume.texture":
        raise ValueError(f"{path}: its kind is {metadata.get('kind')}: give a texture model")
    model = Texture(json.loads(metadata["config"]))
    names = model.state_dict().keys()
    values = {name: torch.from_numpy(tensors[name].astype("float32")) for name in names}
    model.load_state_dict(values)
    model.metadata, model.kinds = metadata, {name: array.dtype for name, array in tensors.items()}
    model.others = {name: array for name, array in tensors.items() if name not in names}
    return model


def save(model, path, card=None):
    """Writes the model with the weights as they are now, each tensor as the kind of number that it was read as;
    `card` (strings by key) is added to its card."""
    state = model.state_dict()
    tensors = {name: model.others[name] if name in model.others else state[name].cpu().numpy() for name in model.kinds}
    tensors = {name: array.astype(model.kinds[name]) for name, array in tensors.items()}
    write_file(path, {**model.metadata, **(card or {})}, tensors)


def random_inputs(config, windows=1, frames=64, seed=1):
    """What a model is told, at random, in the order of forward(): a quarter of the frames is known."""
    random = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=random)

    known = torch.zeros(windows, frames, 1)
    known[:, : frames // 4] = 1
    mix = torch.rand(windows, len(config["classes"]), generator=random)
    bands = config["bands"]
    return (normal(windows, frames, bands), known, normal(windows, 1), mix / mix.sum(1, keepdim=True),
            normal(windows, bands), normal(windows, config["past"]))


def brume_output(path, program, inputs):
    """What Brume's own network makes of one window."""
    frames = inputs[0].shape[1]
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/input", "wb") as file:
            for array in inputs:
                file.write(array.numpy().tobytes())
        subprocess.run([program, "play", path], input=f"open 1 {frames} {folder}/input {folder}/output\n",
                       stdout=subprocess.DEVNULL, text=True, check=True)
        return torch.from_numpy(numpy.fromfile(f"{folder}/output", "float32")).reshape(inputs[0].shape)


@torch.no_grad()
def check(path, program="build/tests/bench/bench"):
    model, largest = load(path), 0.0
    for seed in range(3):
        inputs = random_inputs(model.config, seed=seed)
        ours, theirs = brume_output(path, program, inputs), model(*inputs)
        largest = max(largest, ((theirs - ours).abs().max() / ours.square().mean().sqrt()).item())
    print(f"{path}: largest difference {largest:.1e} of the output's root mean square")
    return 0 if largest <= 1e-4 else 1


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[1] != "--check":
        sys.exit(__doc__.split("\n\n")[1])
    sys.exit(check(*sys.argv[2:]))
