"""usage: predictor_beside.py MODEL SOUND BUILD: the sample tier beside other programs that run the same network, as a
table in Markdown. SOUND is a melody, mono, 16 kHz: its plan and its samples are what the network is shown.

Inputs and drawing are on no side but in the last row. What is not installed is left out, with a sentence.
BENCH_SHORT=1: fewer rounds."""
import os
import subprocess
import sys
import tempfile

import numpy
import turns
from turns import version

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = 5 if os.environ.get("BENCH_SHORT") else 15
FRAMES, SAMPLES, RATE = 50, 3200, 16000
GRAPH, STEPS, PLAY = "training's graph", "Brume", "Brume, with inputs and drawing"
CALLS, NOTHING, LOOP = "onnxruntime, a call a sample", "onnxruntime, calls", "onnxruntime, loops in one graph"


def add_onnxruntime(workers, model, modules, folder):
    manifest = f"require('{os.path.abspath(modules)}/onnxruntime-node/package.json').version"
    found, onnx = version("node", "-p", manifest), version(sys.executable, "-c", "import onnx")
    if found is None or onnx is None:
        return "onnxruntime is not here (node, onnxruntime-node and python3-onnx), so it is left out"
    subprocess.run([sys.executable, f"{HERE}/predictor_onnx.py", model, folder], check=True)
    for name, mode in ((CALLS, "samples"), (LOOP, "loop"), (NOTHING, "nothing")):
        workers.append(turns.Worker(name, "node", f"{HERE}/predictor_onnx.js", modules, folder, mode))
    return f"onnxruntime-node {found}, node {version('node', '--version')}"


def add_torch(workers, model):
    found = version(sys.executable, "-c", "import torch; print(torch.__version__)")
    if found is None:
        return "torch is not here (python3-torch), so it is left out"
    workers.append(turns.Worker("torch, a compiled loop", sys.executable, f"{HERE}/predictor_torch.py", model))
    return f"torch {found}"


def check(outputs):
    """The peers run training's graph; Brume's weights are rounded, and what that does is in the table."""
    for name, value in outputs.items():
        if name not in (GRAPH, STEPS, PLAY, NOTHING):
            largest = float(numpy.abs(value - outputs[GRAPH]).max())
            if largest > 1e-4:
                sys.exit(f"predictor_beside.py: {name} differs by {largest:.1e}: not the same network")


def main():
    model, sound, build = sys.argv[1:]
    program = f"{build}/tests/bench/predictor/predictor"
    workers = [turns.Worker(name, program, "worker", mode, model, sound)
               for name, mode in ((GRAPH, "graph"), (STEPS, "steps"), (PLAY, "play"))]
    with tempfile.TemporaryDirectory() as folder:
        said = [add_onnxruntime(workers, model, f"{build}/peers/node_modules", folder), add_torch(workers, model)]
        subprocess.run([program, "inputs", model, sound, str(FRAMES), f"{folder}/inputs"], check=True)
        given = [numpy.fromfile(f"{folder}/inputs", "float32")]
        outputs = turns.open_all(workers, 1, FRAMES, given, folder)
        check(outputs)
        times = turns.time_all(workers[1:], ROUNDS, 0.1)
        for worker in workers:
            worker.close()
    print("; ".join(said) + f". One thread each; {FRAMES} frames.\n")
    if CALLS in times:
        # A C program would not pay for calls through Node.
        times[f"{CALLS}, less those of a graph that does nothing"] = times[CALLS] - numpy.median(times.pop(NOTHING))
    print("| | samples/s | x real time | time / Brume's | off training's graph: most, RMS |")
    print("|---|---|---|---|---|")
    for name, values in times.items():
        away = "-"
        if name != PLAY:
            off = numpy.abs(outputs[name.split(", less", maxsplit=1)[0]] - outputs[GRAPH])
            away = f"{off.max():.0e}, {numpy.sqrt(numpy.mean(off**2)):.0e}"
        each = values / SAMPLES
        print(f"| {name} | {turns.spread(1 / each, '%.0f')} | {turns.spread(1 / each / RATE, '%.1f')} | "
              f"{turns.spread(values / times[STEPS])} | {away} |")


main()
