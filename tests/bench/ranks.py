"""usage: ranks.py BUILD [--write FILE]: what training on several processes gains, as tables in Markdown.

Steps a second of one process with one thread and with two, and of two processes with one thread each, at the
shipped network's size, from nothing, in turn; then what these make likely for up to 64 machines. --write puts the
tables into FILE, after the line that begins with "<!-- figures". BENCH_ROUNDS: rounds, 5. Needs mpirun and two
cores that do nothing else."""
import json
import math
import os
import random
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import wave

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
STEPS = 8
BATCH = 8
LINKS = (("1 Gbit/s", 1e9), ("10 Gbit/s", 1e10), ("100 Gbit/s", 1e11))
SIZES = (1, 2, 4, 8, 16, 32, 64)

# Name, processes, threads of each, windows in a step. Half the windows tell what a window takes, and what a step
# takes besides.
RUNS = (("one", 1, 1, BATCH), ("threads", 1, 2, BATCH), ("processes", 2, 1, BATCH), ("half", 1, 1, BATCH // 2))


def make_sounds(folder):
    """A minute of noise in five recordings."""
    noise = random.Random(1)
    os.makedirs(folder)
    for take in range(5):
        values = [int(6000 * noise.uniform(-1, 1)) for _ in range(12 * 44100)]
        with wave.open(f"{folder}/{take}.wav", "wb") as file:
            file.setparams((1, 2, 44100, 0, "NONE", ""))
            file.writeframesraw(struct.pack(f"<{len(values)}h", *values))


def seconds_per_step(brume, folder, processes, threads, batch):
    model = os.path.join(folder, "model.safetensors")
    launch = ["mpirun", "--allow-run-as-root", "-n", str(processes)] if processes > 1 else []
    command = launch + [brume, "train", "texture", folder + "/noise", "-o", model, "--from", "none", "--steps",
                        str(STEPS), "--threads", str(threads), "--batch", str(batch), "--holdout", "0", "--json"]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(result.stderr)
    return json.loads(result.stdout)["seconds"] / STEPS


def count_parameters(path):
    """Weights are the tensors that a model keeps in half precision."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    header.pop("__metadata__")
    return sum(math.prod(entry["shape"]) for entry in header.values() if entry["dtype"] == "F16")


def measure(brume):
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        make_sounds(folder + "/noise")
        for number in range(ROUNDS):
            times = {name: seconds_per_step(brume, folder, *how) for name, *how in RUNS}
            times["load"] = os.getloadavg()[0]
            rounds.append(times)
            print(f"round {number + 1}: {times}", file=sys.stderr, flush=True)
        return rounds, count_parameters(folder + "/model.safetensors")


def fastest(rounds):
    return {name: min(r[name] for r in rounds) for name, *_ in RUNS}


def print_measured(rounds):
    lines = ["| round | 1 process | 1 of 2 threads | 2 processes | threads / one | processes / one | load |",
             "|---|---|---|---|---|---|---|"]
    ratios = [(r["one"] / r["threads"], r["one"] / r["processes"]) for r in rounds]
    for i, (r, (threads, processes)) in enumerate(zip(rounds, ratios)):
        lines.append(f"| {i + 1} | {1 / r['one']:.3f} | {1 / r['threads']:.3f} | {1 / r['processes']:.3f} | "
                     f"x {threads:.2f} | x {processes:.2f} | {r['load']:.1f} |")
    medians = [statistics.median(column) for column in zip(*ratios)]
    lines.append(f"| median | | | | x {medians[0]:.2f} | x {medians[1]:.2f} | |")
    best = fastest(rounds)
    lines.append(f"| fastest | {1 / best['one']:.3f} | {1 / best['threads']:.3f} | {1 / best['processes']:.3f} | "
                 f"x {best['one'] / best['threads']:.2f} | x {best['one'] / best['processes']:.2f} | |")
    return lines


class Model:
    """What a step takes: `rest` seconds, `window` seconds for each of a process's windows, and the exchange."""

    def __init__(self, rounds, parameters):
        best = fastest(rounds)
        self.window = (best["one"] - best["half"]) / (BATCH - BATCH // 2)
        self.rest = max(0.0, best["one"] - BATCH * self.window)
        self.exchange_here = best["processes"] - best["half"]
        self.step = best["one"]
        self.parameters = parameters

    def bytes(self, n):
        """What each of n processes sends in a step when they stand in a ring."""
        return 4 * self.parameters * 2 * (n - 1) / n

    def seconds(self, n, windows, link):
        return self.rest + math.ceil(windows / n) * self.window + 8 * self.bytes(n) / link


def print_scaling(model, windows_of, title):
    lines = [f"| {title} | MB sent by each | " + " | ".join(name for name, _ in LINKS) + " |",
             "|---|---|" + "---|" * len(LINKS)]
    for n in SIZES:
        windows = windows_of(n)
        cells = []
        for _, link in LINKS:
            gain = model.seconds(1, windows, link) / model.seconds(n, windows, link)
            cells.append(f"{model.seconds(n, windows, link):.2f} s, x {gain:.1f} ({100 * gain / n:.0f} %)")
        lines.append(f"| {n}: {windows} windows | {model.bytes(n) / 1e6:.1f} | " + " | ".join(cells) + " |")
    return lines


def report(rounds, parameters):
    model = Model(rounds, parameters)
    return [f"Measured, steps a second, {ROUNDS} rounds of {STEPS} steps of {BATCH} windows:", ""] + \
        print_measured(rounds) + \
        ["", f"Of the fastest: a step of one process takes {model.step:.2f} s: {model.window:.3f} s a window, "
         f"{model.rest:.2f} s besides. Two processes take {1000 * model.exchange_here:.0f} ms more than one with as "
         f"many windows as each of them has ({100 * model.exchange_here / model.step:.1f} % of a step of one).", "",
         f"**Modelled, not measured**, for {parameters / 1e6:.2f} million parameters: seconds a step, and how many "
         "times as fast as one process (share of what so many could do).", "",
         "The same 64 windows a step, shared out:", ""] + \
        print_scaling(model, lambda n: 64, "processes") + \
        ["", "Four windows for each process:", ""] + \
        print_scaling(model, lambda n: 4 * n, "processes")


def main():
    build = sys.argv[1]
    lines = report(*measure(os.path.join(build, "tests/cli/brume-mpi")))
    print("\n".join(lines))
    if len(sys.argv) > 3 and sys.argv[2] == "--write":
        with open(sys.argv[3], encoding="utf-8") as file:
            head = re.match(r"(?s).*?<!-- figures[^\n]*\n", file.read()).group(0)
        with open(sys.argv[3], "w", encoding="utf-8") as file:
            file.write(head + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
