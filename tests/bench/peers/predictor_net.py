"""A melody model's sample tier for the peers: its weights, named as in the file, and its sizes."""
import json
import struct

import numpy

SUBFRAME, SUBFRAMES = 16, 4  # samples of a step of the GRU, and such steps of a frame


class Net:
    """What models/predictor_net.c makes of a file."""

    def __init__(self, path):
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
            data = file.read()
        del header["__metadata__"]
        self.weights = {}
        for name, tensor in header.items():
            if name.startswith("samples."):
                start, end = tensor["data_offsets"]
                kind = {"F16": "<f2", "F32": "<f4"}[tensor["dtype"]]
                values = numpy.frombuffer(data[start:end], kind).astype("float32").reshape(tensor["shape"])
                self.weights[name.removeprefix("samples.")] = values
        self.hidden = self.weights["gru.recurrent"].shape[1]
        self.wide, self.inputs = self.weights["first.weight"].shape
        self.outputs = self.weights["out.bias"].shape[0]
        self.told, self.condition = self.weights["told.0.weight"].shape

    def split(self, values):
        """What `predictor inputs` wrote: inputs (samples, inputs) and conditions (frames, condition)."""
        frames = len(values) // (SUBFRAME * SUBFRAMES * self.inputs + self.condition)
        at = frames * SUBFRAME * SUBFRAMES * self.inputs
        return values[:at].reshape(-1, self.inputs), values[at:].reshape(frames, self.condition)
