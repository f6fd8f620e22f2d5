"""A texture model's file for the peers: its configuration, its weights, and random input for it."""
import json
import struct

import numpy

LEVELS, LEVEL_SCALE, LEVEL_LONGEST = 32, 4.0, 100.0


class Network:
    """What models/denoiser.c and models/refiner.c make of a file. Attributes are named as there."""

    def __init__(self, path):
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
            data = file.read()
        config = json.loads(header.pop("__metadata__")["config"])
        self.weights = {}
        for name, tensor in header.items():
            start, end = tensor["data_offsets"]
            kind = {"F16": "<f2", "F32": "<f4"}[tensor["dtype"]]
            self.weights[name] = numpy.frombuffer(data[start:end], kind).astype("float32").reshape(tensor["shape"])
        self.bands, self.channels, self.past = config["bands"], config["channels"], config["past"]
        self.dilations, self.classes = config["dilations"], len(config["classes"])
        self.refiner_channels, self.refiner_blocks = config["refiner_channels"], config["refiner_blocks"]
        self.stride = config["refiner_stride"]
        self.positions = -(-self.bands // self.stride) + 1
        # Bands after the last whole patch: the grid ends with zeros.
        self.padding = self.positions * self.stride - self.bands
        self.frequencies = LEVEL_SCALE * LEVEL_LONGEST ** (-numpy.arange(LEVELS) / LEVELS)

    def trained(self):
        """Names of what training changes, in the order of models/parameters.c: the file's."""
        return [n for n in self.weights if n not in ("normaliser.quantiles", "memories", "middles")]

    def film(self, name, channels, blocks):
        """FiLM's weight and bias, its scales and gates with the 1 that is added to them."""
        bias = self.weights[f"{name}.bias"].copy().reshape(-1, channels)
        for block in range(blocks):
            bias[[3 * block, 3 * block + 2]] += 1
        bias[3 * blocks] += 1
        return self.weights[f"{name}.weight"], bias.reshape(-1)

    def inputs(self, windows, frames, seed=1):
        """Random input, by name, in the order of DenoiserInput: a quarter of the frames is known."""
        random = numpy.random.default_rng(seed)

        def normal(*shape):
            return random.standard_normal(shape).astype("float32")

        known = numpy.zeros((windows, frames), "float32")
        known[:, : frames // 4] = 1
        mix = random.random((windows, self.classes)).astype("float32")
        return {
            "x": normal(windows * frames, self.bands),
            "known": known.reshape(-1, 1),
            "half_log_snr": normal(windows, 1),
            "mix": mix / mix.sum(axis=1, keepdims=True),
            "memory": normal(windows, self.bands),
            "past": normal(windows, self.past),
        }
