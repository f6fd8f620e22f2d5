"""usage: beside.py play|train MODEL BUILD: Brume beside other programs that run the same network, as Markdown tables.

What is not installed is left out, with a sentence. BENCH_SHORT=1: fewer rounds."""
import os
import subprocess
import sys
import tempfile

import network
import numpy
import turns
from turns import version

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = 5 if os.environ.get("BENCH_SHORT") else 15
# How the network is written down in each: the fastest counts. Others were
# slower than the fastest at every length (TRIED.md).
FORMS = {
    ("onnxruntime", "play"): ("products-products", "products-convolutions", "convolutions-convolutions"),
    ("torch", "play"): ("products-products frozen", "products-convolutions frozen", "convolutions-convolutions frozen"),
    ("torch", "train"): ("products-convolutions", "convolutions-convolutions"),
}
NOTHING = "onnxruntime: a graph that does nothing"


class Peers:
    """Those that are installed: their versions, and workers by name."""

    def __init__(self, way, model, build, folder):
        self.workers = [turns.Worker("Brume", f"{build}/tests/bench/bench", way, model)]
        self.versions = []
        if way == "play":
            self.add_onnxruntime(model, f"{build}/peers/node_modules", folder)
        self.add_torch(way, model)

    def add_onnxruntime(self, model, modules, folder):
        manifest = f"require('{os.path.abspath(modules)}/onnxruntime-node/package.json').version"
        found, onnx = version("node", "-p", manifest), version(sys.executable, "-c", "import onnx")
        if found is None or onnx is None:
            self.versions.append("onnxruntime is not here (node, onnxruntime-node and python3-onnx), so it is left out")
            return
        self.versions.append(f"onnxruntime-node {found}, node {version('node', '--version')}")
        for form in FORMS["onnxruntime", "play"] + ("nothing",):
            graph = f"{folder}/{form}.onnx"
            if version(sys.executable, f"{HERE}/denoiser_onnx.py", model, graph, form) is None:
                self.versions.append(f"the graph of {form} cannot be written, so it is left out")
                continue
            name = NOTHING if form == "nothing" else f"onnxruntime, {form}"
            self.workers.append(turns.Worker(name, "node", f"{HERE}/onnx_worker.js", modules, graph))

    def add_torch(self, way, model):
        found = version(sys.executable, "-c", "import torch; print(torch.__version__)")
        if found is None:
            self.versions.append("torch is not here (python3-torch), so it is left out")
            return
        blas = os.path.realpath("/etc/alternatives/libblas.so.3-x86_64-linux-gnu")
        self.versions.append(f"torch {found} over {blas}")
        for form in FORMS["torch", way]:
            command = [sys.executable, f"{HERE}/torch_worker.py", way, model, *form.split()]
            self.workers.append(turns.Worker(f"torch, {form}", *command))


def best(times, peer):
    """The name of a peer's fastest form, None where there is none."""
    names = [name for name in times if name.startswith(peer + ",")]
    return min(names, key=lambda name: numpy.median(times[name]), default=None)


def difference(outputs):
    """The largest of the peers from Brume's output, relative to its root mean square."""
    ours = outputs["Brume"]
    scale = numpy.sqrt(numpy.mean(numpy.square(ours, dtype="float64")))
    others = [value for name, value in outputs.items() if name not in ("Brume", NOTHING)]
    return max((float(numpy.abs(value - ours).max() / scale) for value in others), default=0.0)


def check(largest):
    if largest > 1e-4:
        sys.exit(f"beside.py: the outputs differ by {largest:.1e}: these are not the same network")


def give_back(times):
    """onnxruntime's times without what a call through Node costs: a C program would not pay it."""
    call = numpy.median(times.get(NOTHING, 0.0))
    return {n: t - call if n.startswith("onnxruntime,") else t for n, t in times.items()}


def row(times, outputs):
    """Cells of a table: Brume, each peer's fastest form and its ratio, the difference."""
    ours, cells = times["Brume"], [turns.spread(1e3 * times["Brume"]) + " ms"]
    for peer in ("onnxruntime", "torch"):
        name = best(times, peer)
        if name is not None:
            form = name.split(", ")[1]
            cells += [f"{turns.spread(1e3 * times[name])} ms, {form}", f"**{turns.spread(times[name] / ours)}**"]
        else:
            cells += ["-", "-"]
    return cells + [f"{difference(outputs):.0e}"]


def play(peers, net, folder):
    lengths, rows, medians = (16, 32, 64, 256), [], {}
    for frames in lengths:
        outputs = turns.open_all(peers.workers, 1, frames, net.inputs(1, frames).values(), folder)
        check(difference(outputs))
        times = give_back(turns.time_all(peers.workers, ROUNDS, 0.06))
        rows.append([str(frames)] + row(times, outputs))
        for name, values in times.items():
            medians.setdefault(name, {})[frames] = f"{1e3 * numpy.median(values):.2f}"
    heading = ["frames", "Brume", "onnxruntime", "/ Brume", "torch", "/ Brume", "largest difference"]
    print_table(heading, rows)
    print("\nMedians of all forms, ms:\n")
    every = [[name] + [of.get(frames, "-") for frames in lengths] for name, of in sorted(medians.items())]
    print_table([""] + [f"{frames} frames" for frames in lengths], every)


def train(peers, net, folder):
    arrays = list(net.inputs(8, 256).values())
    arrays.append(numpy.random.default_rng(2).standard_normal((8 * 256, net.bands)))
    outputs = turns.open_all(peers.workers, 8, 256, arrays, folder)
    ours = outputs["Brume"]
    losses = {name: float(abs(value[0] / ours[0] - 1)) for name, value in outputs.items()}
    gradients = {
        name: float(numpy.linalg.norm(value[1:] - ours[1:]) / numpy.linalg.norm(ours[1:]))
        for name, value in outputs.items()
    }
    check(max(*losses.values(), *gradients.values()))
    times = turns.time_all(peers.workers, ROUNDS if ROUNDS < 9 else 9, 0.1)
    rows = [
        [
            name,
            turns.spread(1e3 * values, "%.0f"),
            turns.spread(1 / values),
            turns.spread(values / times["Brume"]),
            f"{losses[name]:.0e}",
            f"{gradients[name]:.0e}",
        ]
        for name, values in times.items()
    ]
    print_table(["", "ms a step", "steps/s", "time / Brume's", "loss differs by", "gradients differ by"], rows)


def print_table(heading, rows):
    for cells in [heading, ["---"] * len(heading)] + rows:
        print("| " + " | ".join(cells) + " |")


def main():
    way, model, build = sys.argv[1:]
    net = network.Network(model)
    with tempfile.TemporaryDirectory() as folder:
        peers = Peers(way, model, build, folder)
        print("; ".join(peers.versions) + ". One thread each.\n")
        (train if way == "train" else play)(peers, net, folder)
        for worker in peers.workers:
            worker.close()


main()
