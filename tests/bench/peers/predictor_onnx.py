"""usage: predictor_onnx.py MODEL FOLDER: the sample tier's network as ONNX graphs.

frame.onnx, subframe.onnx and sample.onnx are what a generator calls once a frame, once in 16 samples and for each
sample. loop.onnx holds the loop over samples within a loop over the GRU's steps, for inputs that are all given: no
calls between. nothing.onnx passes a sample's inputs on: what a call costs by itself."""
import sys

import numpy
import onnx
import predictor_net
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """Nodes and constants as they are called for; values are their names, which begin with `prefix`."""

    def __init__(self, prefix=""):
        self.prefix, self.nodes, self.constants = prefix, [], []

    def constant(self, array):
        name = f"{self.prefix}c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(numpy.ascontiguousarray(array), name))
        return name

    def __call__(self, kind, *inputs, outputs=1, **attributes):
        names = [f"{self.prefix}{kind}{len(self.nodes)}.{i}" for i in range(outputs)]
        inputs = [self.constant(i) if isinstance(i, numpy.ndarray) else i for i in inputs]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def name(self, value, name):
        self.nodes.append(helper.make_node("Identity", [value], [name]))

    def integers(self, *values):
        return self.constant(numpy.array(values, "int64"))

    def linear(self, x, weight, bias=None):
        if bias is None:
            return self("MatMul", x, weight.T)
        return self("Gemm", x, weight, bias, transB=1)

    def silu(self, x):
        return self("Mul", x, self("Sigmoid", x))

    def build(self, inputs, outputs):
        def describe(values):
            return [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in values.items()]

        return helper.make_graph(self.nodes, self.prefix or "main", describe(inputs), describe(outputs), self.constants)

    def save(self, path, inputs, outputs):
        model = helper.make_model(self.build(inputs, outputs), opset_imports=[helper.make_opsetid("", 15)])
        model.ir_version = 8
        onnx.checker.check_model(model)
        onnx.save(model, path)


def tell(g, w, condition):
    told = g.silu(g.linear(condition, w["told.0.weight"], w["told.0.bias"]))
    return g.silu(g.linear(told, w["told.1.weight"], w["told.1.bias"]))


def listen(g, net, x, told, h):
    """x (1, inputs), told (1, told), h (1, 1, hidden) -> the next h, and what the first layer gets from it."""
    w, n = net.weights, net.hidden

    def gates(name):
        """ONNX has the gates in another order."""
        return numpy.roll(w[name].reshape(3, n, -1)[[1, 0, 2]], 0).reshape(1, 3 * n, -1)

    bias = gates("gru.bias").reshape(1, -1)
    recurrent = numpy.concatenate([numpy.zeros(2 * n, "f"), w["gru.recurrent_bias"]])[None]
    both = g("Unsqueeze", g("Concat", x, told, axis=1), g.integers(0))
    arrays = [gates("gru.input"), gates("gru.recurrent"), numpy.concatenate([bias, recurrent], axis=1)]
    names = [g.constant(a) for a in arrays] + ["", h]
    after = g("GRU", both, *names, outputs=2, hidden_size=n, linear_before_reset=1)[1]
    state = g("Reshape", after, g.integers(1, n))
    from_state = g.linear(state, w["state.weight"], w["first.bias"])
    return after, g("Add", from_state, g.linear(told, w["notice.weight"]))


def believe(g, net, x, base, phase):
    w = net.weights
    first = g.silu(g("Add", g("Add", g.linear(x, w["first.weight"]), base), phase))
    second = g.silu(g.linear(first, w["second.weight"], w["second.bias"]))
    return g.linear(second, w["out.weight"], w["out.bias"])


def scan(g, body, states, given, outputs):
    return g("Scan", *states, *given, outputs=outputs, body=body, num_scan_inputs=len(given))


def loop(net):
    """Scan over the GRU's steps, and in each Scan over its samples."""
    inner, outer, g = Graph("inner."), Graph("outer."), Graph()
    row = inner("Unsqueeze", "sample", inner.integers(0))
    out = believe(inner, net, row, "base", inner("Unsqueeze", "phase", inner.integers(0)))
    inner.name(inner("Squeeze", out, inner.integers(0)), "answer")
    sample = inner.build({"sample": [net.inputs], "phase": [net.wide]}, {"answer": [net.outputs]})

    now = outer("Slice", "subframe", outer.integers(0), outer.integers(1), outer.integers(0))
    told = outer("Unsqueeze", "told", outer.integers(0))
    after, base = listen(outer, net, now, told, "h")
    outer.name(base, "base")
    outer.name(after, "h_after")
    outer.name(scan(outer, sample, [], ["subframe", outer.constant(net.weights["phase"])], 1), "answers")
    inputs = {"h": [1, 1, net.hidden], "subframe": [predictor_net.SUBFRAME, net.inputs], "told": [net.told]}
    outputs = {"h_after": [1, 1, net.hidden], "answers": [predictor_net.SUBFRAME, net.outputs]}
    subframe = outer.build(inputs, outputs)

    told = tell(g, net.weights, "condition")
    many = g("Tile", g("Unsqueeze", told, g.integers(1)), g.integers(1, predictor_net.SUBFRAMES, 1))
    many = g("Reshape", many, g.integers(-1, net.told))
    pieces = g("Reshape", "x", g.integers(-1, predictor_net.SUBFRAME, net.inputs))
    start = numpy.zeros((1, 1, net.hidden), "f")
    answers = scan(g, subframe, [g.constant(start)], [pieces, many], 2)[1]
    g.name(g("Reshape", answers, g.integers(-1, net.outputs)), "out")
    return g


def main():
    net, folder = predictor_net.Net(sys.argv[1]), sys.argv[2]
    x, base = [1, net.inputs], [1, net.wide]
    told, h = [1, net.told], [1, 1, net.hidden]

    g = Graph()
    g.name(tell(g, net.weights, "condition"), "told")
    g.save(f"{folder}/frame.onnx", {"condition": [1, net.condition]}, {"told": told})
    g = Graph()
    after, from_state = listen(g, net, "x", "told", "h")
    g.name(after, "h_after")
    g.name(from_state, "base")
    g.save(f"{folder}/subframe.onnx", {"x": x, "told": told, "h": h}, {"h_after": h, "base": base})
    g = Graph()
    g.name(believe(g, net, "x", "base", "phase"), "out")
    g.save(f"{folder}/sample.onnx", {"x": x, "base": base, "phase": base}, {"out": [1, net.outputs]})
    g = Graph()
    g.name("x", "out")
    g.save(f"{folder}/nothing.onnx", {"x": x}, {"out": x})
    inputs = {"x": ["samples", net.inputs], "condition": ["frames", net.condition]}
    loop(net).save(f"{folder}/loop.onnx", inputs, {"out": ["samples", net.outputs]})
    net.weights["phase"].tofile(f"{folder}/phase")


main()
