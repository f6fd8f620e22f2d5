"""usage: denoiser_onnx.py MODEL OUT FORM: the texture network as an ONNX graph of one window.

FORM is "TRUNK-REFINER", each "products" (the taps laid side by side, then a matrix product) or "convolutions" (the
runtime's own). All forms compute the same; which is faster depends on the length. "nothing" passes x on: what a call
costs by itself."""
import sys

import network
import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """Nodes and constants as they are called for; values are their names."""

    def __init__(self):
        self.nodes, self.constants = [], {}

    def constant(self, array):
        array = numpy.ascontiguousarray(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.constants:
            self.constants[key] = numpy_helper.from_array(array, f"c{len(self.constants)}")
        return self.constants[key].name

    def integers(self, *values):
        return self.constant(numpy.array(values, "int64"))

    def __call__(self, kind, *inputs, outputs=1, **attributes):
        names = [f"{kind}{len(self.nodes)}.{i}" for i in range(outputs)]
        inputs = [self.constant(i) if isinstance(i, numpy.ndarray) else i for i in inputs]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def silu(self, x):
        return self("Mul", x, self("Sigmoid", x))

    def linear(self, x, weight, bias=None):
        y = self("MatMul", x, numpy.ascontiguousarray(weight.T))
        return y if bias is None else self("Add", y, bias)

    def norm(self, x, channels):
        return self(
            "LayerNormalization", x, numpy.ones(channels, "f"), numpy.zeros(channels, "f"), axis=-1, epsilon=1e-5
        )

    def film(self, x, scale, shift):
        return self("Add", self("Mul", x, scale), shift)

    def pad(self, x, before, after):
        return self("Pad", x, self.integers(*before, *after))

    def slice(self, x, axis, start, end):
        return self("Slice", x, self.integers(start), self.integers(end), self.integers(axis))

    def reshape(self, x, *shape):
        return self("Reshape", x, self.integers(*shape))

    def taps(self, x, axis, dilation):
        """x moved by -dilation, 0 and dilation along an axis that is padded by that much."""
        ends = (-2 * dilation, -dilation, 2**31 - 1)
        return [self.slice(x, axis, tap * dilation, ends[tap]) for tap in range(3)]


def condition(g, net):
    w = net.weights
    angle = g("Mul", "half_log_snr", net.frequencies.astype("float32")[None])
    level = g("Concat", g("Cos", angle), g("Sin", angle), axis=1)
    level = g.silu(g.linear(level, w["level.0.weight"], w["level.0.bias"]))
    # One product for all that is told besides.
    told = g("Concat", level, "mix", "memory", "past", axis=1)
    parts = [w["level.1.weight"], w["class.table"].T, w["memory.weight"], w["past.weight"]]
    return g.silu(g.linear(told, numpy.concatenate(parts, axis=1), w["level.1.bias"]))


def films(g, told, net, name, channels, blocks):
    weight, bias = net.film(name, channels, blocks)
    return g("Split", g.linear(told, weight, bias), outputs=3 * blocks + 2, axis=1)


def along_time(g, x, weight, bias, dilation, form):
    """A convolution of three frames; x (frames, channels)."""
    out, channels = len(bias), weight.shape[1] // 3
    if form == "products":
        padded = g.pad(x, (dilation, 0), (dilation, 0))
        return g.linear(g("Concat", *g.taps(padded, 0, dilation), axis=1), weight, bias)
    x = g.reshape(g("Transpose", x, perm=[1, 0]), 1, channels, 1, -1)
    kernel = weight.reshape(out, 3, channels).transpose(0, 2, 1)[:, :, None]
    y = g("Conv", x, kernel, bias, dilations=[1, dilation], pads=[0, dilation, 0, dilation])
    return g("Transpose", g.reshape(y, out, -1), perm=[1, 0])


def refiner_block(g, x, net, b, form):
    """Convolution, SiLU and the layer after them; x (frames, positions, channels)."""
    w, c, dilation = net.weights, net.refiner_channels, 1 << b % 4
    weight, bias = w[f"refiner.blocks.{b}.conv.weight"], w[f"refiner.blocks.{b}.conv.bias"]
    out, out_bias = w[f"refiner.blocks.{b}.out.weight"], w[f"refiner.blocks.{b}.out.bias"]
    if form == "products":
        padded = g.pad(x, (dilation, 1, 0), (dilation, 1, 0))
        columns = [across for along in g.taps(padded, 0, dilation) for across in g.taps(along, 1, 1)]
        return g.linear(g.silu(g.linear(g("Concat", *columns, axis=2), weight, bias)), out, out_bias)
    x = g("Unsqueeze", g("Transpose", x, perm=[2, 0, 1]), g.integers(0))
    kernel = weight.reshape(c, 3, 3, c).transpose(0, 3, 1, 2)
    x = g.silu(g("Conv", x, kernel, bias, dilations=[dilation, 1], pads=[dilation, 1, dilation, 1]))
    x = g("Conv", x, out[:, :, None, None], out_bias)
    return g("Transpose", g("Squeeze", x, g.integers(0)), perm=[1, 2, 0])


def cut(g, x, net):
    """Patches (rows, positions, 2 stride) of x (rows, bands)."""
    cells = g.reshape(g.pad(x, (0, net.stride), (0, net.padding)), -1, net.positions + 1, net.stride)
    return g("Concat", g.slice(cells, 1, 0, -1), g.slice(cells, 1, 1, 2**31 - 1), axis=2)


def paste(g, patches, net):
    first, second = g("Split", patches, outputs=2, axis=2)
    cells = g("Add", g.pad(first, (0, 0, 0), (0, 1, 0)), g.pad(second, (0, 1, 0), (0, 0, 0)))
    flat = g.reshape(cells, -1, (net.positions + 1) * net.stride)
    return g.slice(flat, 1, net.stride, net.stride + net.bands)


def refiner(g, features, told, net, form):
    w, c = net.weights, net.refiner_channels
    film = films(g, told, net, "refiner.film", c, net.refiner_blocks)
    outline = g.linear(features, w["refiner.outline.weight"], w["refiner.outline.bias"])
    trunk = g("Add", g.reshape(outline, -1, net.positions, c), g.linear(cut(g, "x", net), w["refiner.patch.weight"]))
    trunk = g("Add", trunk, g.linear(cut(g, "memory", net), w["refiner.memory.weight"]))
    for b in range(net.refiner_blocks):
        scale, shift, gate = film[3 * b : 3 * b + 3]
        y = refiner_block(g, g.film(g.norm(trunk, c), scale, shift), net, b, form)
        trunk = g("Add", trunk, g("Mul", y, gate))
    y = g.silu(g.film(g.norm(trunk, c), *film[-2:]))
    return paste(g, g.linear(y, w["refiner.out.weight"], w["refiner.out.bias"]), net)


def denoiser(g, net, trunk_form, refiner_form):
    w, c, blocks = net.weights, net.channels, len(net.dilations)
    told = condition(g, net)
    film = films(g, told, net, "film", c, blocks)
    x = g("Concat", "x", "known", axis=1)
    trunk = along_time(g, x, w["in.weight"], w["in.bias"], 1, trunk_form)
    for b, dilation in enumerate(net.dilations):
        scale, shift, gate = film[3 * b : 3 * b + 3]
        y = g.film(g.norm(trunk, c), scale, shift)
        y = g.silu(along_time(g, y, w[f"blocks.{b}.conv.weight"], w[f"blocks.{b}.conv.bias"], dilation, trunk_form))
        y = g.linear(y, w[f"blocks.{b}.out.weight"], w[f"blocks.{b}.out.bias"])
        trunk = g("Add", trunk, g("Mul", y, gate))
    features = g.silu(g.film(g.norm(trunk, c), *film[-2:]))
    y = g.linear(features, w["out.weight"], w["out.bias"])
    return g("Add", y, refiner(g, features, told, net, refiner_form))


def main():
    model, path, form = sys.argv[1:]
    net, g = network.Network(model), Graph()
    result = "x" if form == "nothing" else denoiser(g, net, *form.split("-"))
    g.nodes.append(helper.make_node("Identity", [result], ["out"]))

    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    inputs = [value("x", "frames", net.bands), value("known", "frames", 1), value("half_log_snr", 1, 1)]
    inputs += [value("mix", 1, net.classes), value("memory", 1, net.bands), value("past", 1, net.past)]
    outputs = [value("out", "frames", net.bands)]
    graph = helper.make_graph(g.nodes, "denoiser", inputs, outputs, list(g.constants.values()))
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


main()
